// esbuild plugins that keep out of the bundles what the agent never runs.
import { readFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const anyOf = (names) => `(${names.map((name) => name.replaceAll('.', '\\.')).join('|')})`;

// File upload to blob storage, prom-client's exemplars, pino's worker threads.
const unused = ['@azure/storage-blob', '@opentelemetry/api', 'thread-stream'];

/** Replaces packages that only unused features need with empty modules. */
export const leaveOut = {
  name: 'leave-out',
  setup(bundle) {
    bundle.onResolve({ filter: new RegExp(`^${anyOf(unused)}(/|$)`) }, ({ path }) => ({
      path,
      namespace: 'left-out',
    }));
    // MQTT.js's protocols for WeChat and Alibaba, pino's transports.
    bundle.onResolve({ filter: /^\.\/(ali|wx|transport|lib\/transport)$/ }, ({ importer, path }) =>
      /node_modules\/(mqtt\/lib\/connect|pino)\//.test(importer)
        ? { path, namespace: 'left-out' }
        : undefined,
    );
    bundle.onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({ contents: 'module.exports = {};' }));
    // Only zod's English messages are needed, and they are imported separately.
    bundle.onLoad({ filter: /zod[/\\]v4[/\\]locales[/\\]index\.js$/ }, () => ({ contents: 'export {};' }));
  },
};

/**
 * Loads Node.js's modules without an ES import, which would read each of their exports and with it undici, HTTP/2 and
 * web streams: 14 MB and 30 ms for `node:http`.
 */
export const builtins = {
  name: 'builtins',
  setup(bundle) {
    const filter = new RegExp(`^(node:)?${anyOf(builtinModules)}$`);
    bundle.onResolve({ filter }, ({ kind, path }) =>
      kind === 'import-statement' ? { path: path.replace(/^node:/, ''), namespace: 'builtin' } : undefined,
    );
    bundle.onLoad({ filter: /.*/, namespace: 'builtin' }, async ({ path }) => {
      // Each export is read only where it is used: some load more when they are read.
      const names = Object.keys(await import(`node:${path}`)).filter((name) => name !== 'default');
      const exports = names.map(
        (name) => `export const ${name} = /* @__PURE__ */ __read(${JSON.stringify(name)});`,
      );
      return {
        contents: `
          const __loaded = process.getBuiltinModule('node:${path}');
          const __read = (name) => __loaded[name];
          export default __loaded;
          ${exports.join('\n')}`,
      };
    });
  },
};

/** What is used of packages whose index loads much more, by package. */
const used = {
  // The agent uses the SDK's transport, not its clients and twin.
  'azure-iot-device': `
    exports.Message = require('azure-iot-common').Message;
    exports.getUserAgentString = require('./node_modules/azure-iot-device/dist/utils.js').getUserAgentString;
  `,
  // The index also loads the default metrics, the cluster and the push gateway.
  'prom-client': ['Registry', 'Gauge', 'Counter']
    .map((name) => `exports.${name} = require('./node_modules/prom-client/lib/${name.toLowerCase()}.js');`)
    .join(''),
  // Names the distribution in the SDK's user agent, with a module for each; the agent runs in its own image.
  getos: "module.exports = (done) => process.nextTick(done, new Error('not determined'));",
  // pino writes to the stream that it is given.
  'sonic-boom': 'module.exports = class {};',
  // pino asks whether it runs in the main thread.
  worker_threads: 'exports.isMainThread = true;',
  // MQTT.js requires it when it is loaded. The agent rarely uses MQTT over WebSocket, so it is evaluated only then.
  ws: `
    module.exports = function (...options) { return new (require('ws/lib/websocket.js'))(...options); };
    module.exports.createWebSocketStream = (...options) => require('ws/lib/stream.js')(...options);
  `,
};

/** Replaces the index of some packages with the parts that are used. */
export const parts = {
  name: 'parts',
  setup(bundle) {
    bundle.onResolve({ filter: new RegExp(`^${anyOf(Object.keys(used))}$`) }, ({ path, resolveDir }) => ({
      path,
      namespace: 'part',
      pluginData: path === 'ws' ? resolveDir : root,
    }));
    bundle.onLoad({ filter: /.*/, namespace: 'part' }, ({ path, pluginData: resolveDir }) => ({
      contents: used[path],
      resolveDir,
    }));
    // machina uses a few of lodash's functions, each of which is a module.
    bundle.onResolve({ filter: /^lodash$/ }, ({ importer }) => ({ path: importer, namespace: 'lodash' }));
    bundle.onLoad({ filter: /.*/, namespace: 'lodash' }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      if (/\b_\s*[[(]/.test(source)) throw new Error(`Cannot tell which functions of lodash ${path} uses`);
      const names = [...new Set([...source.matchAll(/\b_\.([a-z]\w+)/gi)].map(([, name]) => name))];
      return {
        contents: names.map((name) => `exports.${name} = require('lodash/${name}');`).join(''),
        resolveDir: root,
      };
    });
  },
};

/**
 * Rewrites the modules of tss.js, which TypeScript compiled to CommonJS, as ES modules: of their 16,000 lines of structures
 * only those that are used remain, a tenth.
 */
export const structures = {
  name: 'structures',
  setup(bundle) {
    bundle.onLoad({ filter: /tss\.js[/\\]lib[/\\]\w+\.js$/ }, async ({ path }) => {
      const source = (await readFile(path, 'utf8')).replaceAll('\r', '');
      const contents = source
        .replace(/^exports\..* = void 0;$/gm, '')
        .replace(/^Object\.defineProperty\(exports, .*$/gm, '')
        .replace(/^var (\w+) = require\((".*")\);$/gm, 'import * as $1 from $2;')
        .replace(/^exports\.(\w+) = \1;$/gm, 'export { $1 };')
        .replaceAll('/** @class */', '/* @__PURE__ */')
        // var NAME; (function (NAME) { … })(NAME = exports.NAME || (exports.NAME = {}));
        .replace(
          /^var (\w+);\n\(function \(\1\) \{\n([\s\S]*?)^\}\)\(\1 = exports\.[^;]*\{\}\)\);$/gm,
          'export var $1 = /* @__PURE__ */ (function ($1) {\n$2return $1; })({});',
        );
      if (/\b(exports|require)\b/.test(contents.replaceAll(/\/\*[\s\S]*?\*\//g, '')))
        throw new Error(`Cannot rewrite ${path} as an ES module`);
      return { contents };
    });
  },
};

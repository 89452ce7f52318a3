// Bundles into dist/: main.js (the agent), cli.js (the package's bin), statfs.js (the process in which both read
// filesystem statistics), simulator.js (loaded by cli.js for `simulate`, not part of the image), demo.js (`npm start`)
// and bench.js (`npm run bench`). `node scripts/build.mjs main cli statfs` builds only these bundles.
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { licences } from './licences.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const simulator = resolve(root, 'simulator/index.ts');

const sources = {
  main: 'src/main.ts',
  cli: 'src/cli/main.ts',
  statfs: 'src/host/disk/statfs-worker.ts',
  simulator: 'simulator/index.ts',
  demo: 'demo/main.ts',
  bench: 'bench/main.ts',
};

// Transitive dependencies of features that are not used: file upload to blob storage, dockerode's BuildKit and SSH
// transports, prom-client's exemplars.
const unused = [
  '@azure/storage-blob',
  '@grpc/grpc-js',
  '@grpc/proto-loader',
  '@opentelemetry/api',
  'protobufjs',
  'ssh2',
];

/** MQTT.js requires `ws` when it is loaded. The agent rarely uses MQTT over WebSocket, so it evaluates `ws` only then. */
const lazyWs = {
  name: 'lazy-ws',
  setup(bundle) {
    const lazy = `
      module.exports = function (...options) { return new (require('ws/lib/websocket.js'))(...options); };
      module.exports.createWebSocketStream = (...options) => require('ws/lib/stream.js')(...options);
    `;
    bundle.onResolve({ filter: /^ws$/ }, ({ path }) => ({ path, namespace: 'lazy-ws' }));
    bundle.onLoad({ filter: /.*/, namespace: 'lazy-ws' }, () => ({
      contents: lazy,
      resolveDir: resolve(root, 'node_modules/mqtt'),
    }));
  },
};

function leaveOut(packages) {
  const filter = new RegExp(`^(${packages.join('|')})(/|$)`);
  return {
    name: 'leave-out',
    setup(bundle) {
      bundle.onResolve({ filter }, ({ path }) => ({ path, namespace: 'left-out' }));
      bundle.onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({ contents: 'module.exports = {};' }));
      // Only zod's English messages are needed, and they are imported separately.
      bundle.onLoad({ filter: /zod[/\\]v4[/\\]locales[/\\]index\.js$/ }, () => ({ contents: 'export {};' }));
    },
  };
}

/** Keeps the simulator in a bundle of its own. */
const externalSimulator = {
  name: 'external-simulator',
  setup(bundle) {
    bundle.onResolve({ filter: /\/index\.ts$/ }, ({ kind, path, resolveDir }) =>
      kind !== 'entry-point' && resolve(resolveDir, path) === simulator
        ? { path: './simulator.js', external: true }
        : undefined,
    );
  },
};

/** Resolves the module `samples` to the samples of all checks, which the demonstration shows. */
const samples = {
  name: 'samples',
  setup(bundle) {
    bundle.onResolve({ filter: /^samples$/ }, ({ path }) => ({ path, namespace: 'samples' }));
    bundle.onLoad({ filter: /.*/, namespace: 'samples' }, async () => {
      const folder = resolve(root, 'test/checks');
      const files = (await readdir(folder, { recursive: true })).filter((file) =>
        file.endsWith('.sample.ts'),
      );
      const imports = files.map((file, i) => `import { sample as s${i} } from './${file}';`);
      const list = files.map((_, i) => `s${i}`);
      return { contents: `${imports.join('')}export const samples = [${list}];`, resolveDir: folder };
    });
  },
};

const manifest = JSON.parse(await readFile(resolve(root, 'package.json'), 'utf8'));

/** The commit. An image build has no repository and passes it as a build argument. */
function revision() {
  if (process.env.REVISION) return process.env.REVISION;
  try {
    const git = ['rev-parse', '--short', 'HEAD'];
    return execFileSync('git', git, {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}

/** The image's Node.js flags, which the demonstration also uses. */
async function imageFlags() {
  const dockerfile = await readFile(resolve(root, 'Dockerfile.amd64'), 'utf8');
  const [, entrypoint] = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile);
  return JSON.parse(entrypoint).filter((part) => part.startsWith('--'));
}

const define = {
  __VERSION__: JSON.stringify(manifest.version),
  __REVISION__: JSON.stringify(revision()),
};

async function bundle(name) {
  const forAgent = ['main', 'cli', 'statfs'].includes(name);
  // CommonJS dependencies load Node.js modules with `require`, which does not exist in ES modules.
  const require =
    "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { [name]: sources[name] },
    outdir: 'dist',
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    // Saves a third of the size and 3 MB of memory. Kept names and short lines keep stack traces readable.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 160,
    legalComments: 'none',
    banner: { js: name === 'cli' ? `#!/usr/bin/env node\n${require}` : require },
    define: name === 'demo' ? { ...define, __NODE_FLAGS__: JSON.stringify(await imageFlags()) } : define,
    plugins: [leaveOut(unused), ...(forAgent ? [lazyWs] : []), externalSimulator, samples],
    metafile: true,
    logLevel: 'warning',
  });
  return Object.keys(metafile.inputs);
}

const requested = process.argv.slice(2);
const unknown = requested.filter((name) => !(name in sources));
if (unknown.length > 0) {
  console.error(`Unknown bundle: ${unknown.join(', ')}. Available: ${Object.keys(sources).join(', ')}`);
  process.exit(2);
}

await rm(resolve(root, 'dist'), { recursive: true, force: true });
await mkdir(resolve(root, 'dist'));
const names = requested.length > 0 ? requested : Object.keys(sources);
const inputs = await Promise.all(names.map(bundle));
await writeFile(resolve(root, 'dist/THIRD-PARTY-LICENSES.txt'), await licences(root, inputs.flat()));
if (names.includes('cli')) await chmod(resolve(root, 'dist/cli.js'), 0o755);

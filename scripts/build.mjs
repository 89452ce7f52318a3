// Bundles into dist/: main.js (the agent, what the image runs), cli.js (the package's bin), statfs.js (the process with
// which both measure filesystems), simulator.js (which cli.js loads for `simulate`, and which the image leaves out), demo.js
// (`npm start`) and bench.js (`npm run bench`). `node scripts/build.mjs main cli statfs` makes only those.
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

// Dependencies of dependencies that nothing here ever calls: file upload to blob storage, dockerode's BuildKit and
// ssh transports, MQTT over WebSockets, prom-client's exemplars.
const neverCalled = [
  '@azure/storage-blob',
  '@grpc/grpc-js',
  '@grpc/proto-loader',
  '@opentelemetry/api',
  'protobufjs',
  'ssh2',
];

/** The simulator's broker does use `ws`; the agent and the CLI do not. */
const neverCalledByAgent = [...neverCalled, 'ws'];

function leaveOut(packages) {
  const these = new RegExp(`^(${packages.join('|')})(/|$)`);
  return {
    name: 'leave-out',
    setup(bundle) {
      bundle.onResolve({ filter: these }, ({ path }) => ({ path, namespace: 'left-out' }));
      bundle.onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({ contents: 'module.exports = {};' }));
      // zod's messages in fifty languages; English is imported on its own.
      bundle.onLoad({ filter: /zod[/\\]v4[/\\]locales[/\\]index\.js$/ }, () => ({ contents: 'export {};' }));
    },
  };
}

const simulatorApart = {
  name: 'simulator-apart',
  setup(bundle) {
    bundle.onResolve({ filter: /\/index\.ts$/ }, ({ kind, path, resolveDir }) =>
      kind !== 'entry-point' && resolve(resolveDir, path) === simulator
        ? { path: './simulator.js', external: true }
        : undefined,
    );
  },
};

/** `samples` stands for every sample beside a check's test: the demonstration shows what they say. */
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

/** The commit, from the build argument where there is no repository (an image build). */
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

/** The flags with which the image runs Node.js; the demonstration runs the agent with the same ones. */
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
  // CommonJS dependencies call `require` for Node's own modules, which ES modules do not have.
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
    // Two thirds of the size and 3 MB less memory. Names and short lines stay, so a stack trace still says where.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 160,
    legalComments: 'none',
    banner: { js: name === 'cli' ? `#!/usr/bin/env node\n${require}` : require },
    define: name === 'demo' ? { ...define, __NODE_FLAGS__: JSON.stringify(await imageFlags()) } : define,
    // Its CommonJS build requires its parts in a way that no bundler follows.
    alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' },
    plugins: [leaveOut(forAgent ? neverCalledByAgent : neverCalled), simulatorApart, samples],
    metafile: true,
    logLevel: 'warning',
  });
  return Object.keys(metafile.inputs);
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in sources));
if (unknown.length > 0) {
  console.error(`There is no ${unknown.join(', ')} to build; there is ${Object.keys(sources).join(', ')}.`);
  process.exit(2);
}

await rm(resolve(root, 'dist'), { recursive: true, force: true });
await mkdir(resolve(root, 'dist'));
const names = asked.length > 0 ? asked : Object.keys(sources);
const inputs = await Promise.all(names.map(bundle));
await writeFile(resolve(root, 'dist/THIRD-PARTY-LICENSES.txt'), await licences(root, inputs.flat()));
if (names.includes('cli')) await chmod(resolve(root, 'dist/cli.js'), 0o755);

// Bundles into dist/: main.js (the agent), cli.js (the package's bin), statfs.js (the process in which both read
// filesystem statistics where that can block), tpm.js (the process in which both ask the TPM), the chunks that these share
// or load when they need them, simulator.js (loaded by cli.js for `simulate`), demo.js (`npm start`), bench.js and its
// scrape-client.js (`npm run bench`). `--image` builds only what the image contains; `--why` prints how many bytes each
// package costs.
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { builtins, leaveOut, parts, structures } from './lean.mjs';
import { licences } from './licences.mjs';
import { why } from './why.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const simulator = resolve(root, 'simulator/index.ts');

const image = {
  main: 'src/main.ts',
  cli: 'src/cli/main.ts',
  statfs: 'src/host/disk/statfs-worker.ts',
  tpm: 'src/host/tpm/tpm-worker.ts',
};
const others = {
  simulator: 'simulator/index.ts',
  demo: 'demo/main.ts',
  bench: 'bench/main.ts',
  'scrape-client': 'bench/scrape-client.ts',
};

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

/** The image's ENTRYPOINT flags and environment, with which the demonstration and the bench start the agent too. */
async function imageSettings() {
  const dockerfile = await readFile(resolve(root, 'Dockerfile.amd64'), 'utf8');
  const [, entrypoint] = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile);
  const flags = JSON.parse(entrypoint).filter((part) => part.startsWith('--'));
  const environment = Object.fromEntries(
    [...dockerfile.matchAll(/^ENV (\w+)=(\S+)$/gm)].map(([, name, value]) => [name, value]),
  );
  return { flags, environment };
}

const common = {
  absWorkingDir: root,
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
  // CommonJS dependencies load Node.js modules with `require`, which does not exist in ES modules.
  banner: {
    js: "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);",
  },
  define: {
    __VERSION__: JSON.stringify(manifest.version),
    __REVISION__: JSON.stringify(revision()),
  },
  metafile: true,
  logLevel: 'warning',
};

/** The bundles of the image, which share chunks. What is imported dynamically gets a chunk that is read when it is needed. */
const buildImage = () =>
  build({
    ...common,
    entryPoints: image,
    splitting: true,
    chunkNames: '[name]-[hash]',
    plugins: [parts, builtins, leaveOut, structures, externalSimulator],
  });

const buildOthers = async () => {
  const define = { ...common.define, __IMAGE__: JSON.stringify(await imageSettings()) };
  const plugins = [leaveOut, externalSimulator, samples];
  return Promise.all(
    Object.entries(others).map(([name, source]) =>
      build({ ...common, entryPoints: { [name]: source }, define, plugins }),
    ),
  );
};

const options = process.argv.slice(2);
const unknown = options.filter((option) => !['--image', '--why'].includes(option));
if (unknown.length > 0) {
  console.error(`Unknown option: ${unknown.join(', ')}. Available: --image, --why`);
  process.exit(2);
}

await rm(resolve(root, 'dist'), { recursive: true, force: true });
await mkdir(resolve(root, 'dist'));
const builds = [await buildImage(), ...(options.includes('--image') ? [] : await buildOthers())];
const metafiles = builds.map(({ metafile }) => metafile);
const inputs = metafiles.flatMap((metafile) => Object.keys(metafile.inputs));
await writeFile(resolve(root, 'dist/THIRD-PARTY-LICENSES.txt'), await licences(root, inputs));
const cli = resolve(root, 'dist/cli.js');
await writeFile(cli, `#!/usr/bin/env node\n${await readFile(cli, 'utf8')}`);
await chmod(cli, 0o755);
if (options.includes('--why')) console.log(why(metafiles[0]));

import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import Docker from 'dockerode';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const recipe = fileURLToPath(new URL('base-images.sh', import.meta.url));
const bridge = 'hardeningtest0';

/** A container engine for one test. It leaves nothing behind and changes no firewall rules. */
export interface Engine {
  readonly docker: Docker;
  readonly socketPath: string;
  /** This machine's address on the engine's network. */
  readonly gateway: string;
  /** Folder of the engine's data, with `volumes/` below it. */
  readonly dataRoot: string;
  /** Builds an image from this repository on stand-in base images, with the builder that preceded BuildKit. */
  build(dockerfile: string, tag: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts dockerd and waits until it answers. Only one at a time can have a `network` for its containers. */
export async function startEngine(signal: AbortSignal, { network = true } = {}): Promise<Engine> {
  const folder = await mkdtemp(join(tmpdir(), 'hardening-engine-'));
  const socketPath = join(folder, 'engine.sock');
  const dataRoot = join(folder, 'data');
  const gateway = '172.31.250.1';
  if (network) {
    await removeBridge();
    await run('ip', ['link', 'add', bridge, 'type', 'bridge']);
    await run('ip', ['address', 'add', `${gateway}/24`, 'dev', bridge]);
    await run('ip', ['link', 'set', bridge, 'up']);
  }

  // A mount namespace of its own, so that its mounts disappear with it.
  const daemon = spawn(
    'unshare',
    [
      ...['--mount', 'dockerd'],
      ...['--data-root', dataRoot, '--exec-root', join(folder, 'exec')],
      ...['--pidfile', join(folder, 'pid'), '--host', `unix://${socketPath}`],
      ...[
        '--bridge',
        network ? bridge : 'none',
        '--iptables=false',
        '--ip6tables=false',
        '--ip-forward=false',
      ],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let log = '';
  daemon.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-4000);
  });
  const exited = new Promise<void>((resolve) => daemon.once('close', () => resolve()));

  const stop = async () => {
    daemon.kill('SIGTERM');
    await exited;
    if (network) await removeBridge();
    await rm(folder, { recursive: true, force: true });
  };
  const docker = new Docker({ socketPath });
  try {
    await waitForEngine(docker, () => daemon.exitCode !== null, signal);
  } catch (cause) {
    await stop();
    throw new Error(`dockerd did not start:\n${log}`, { cause });
  }

  const cli = (...parameters: string[]) =>
    run('docker', ['--host', `unix://${socketPath}`, ...parameters], {
      cwd: root,
      env: { ...process.env, DOCKER_BUILDKIT: '0' },
      maxBuffer: 16 * 2 ** 20,
      signal,
    });
  const build = async (dockerfile: string, tag: string) => {
    const { buildTar, runtimeTar } = await baseImages(signal);
    await cli('import', buildTar, 'stand-in/build:latest');
    const distroless = ['--change', 'USER 65532', '--change', 'ENTRYPOINT ["/nodejs/bin/node"]'];
    await cli('import', ...distroless, runtimeTar, 'stand-in/runtime:latest');
    await cli(
      ...['build', '--file', dockerfile, '--tag', tag, '--network', 'host'],
      ...['--build-arg', 'BUILD_IMAGE=stand-in/build', '--build-arg', 'RUNTIME_IMAGE=stand-in/runtime'],
      ...['--build-arg', 'REVISION=tested', '.'],
    );
  };
  return { docker, socketPath, gateway, dataRoot, build, stop };
}

/** The base images as tar files, built once per version of base-images.sh and cached in the temporary folder. */
async function baseImages(signal: AbortSignal): Promise<{ buildTar: string; runtimeTar: string }> {
  const version = createHash('sha256')
    .update(await readFile(recipe))
    .digest('hex')
    .slice(0, 12);
  const folder = join(tmpdir(), `hardening-base-images-${version}`);
  const images = { buildTar: join(folder, 'build.tar'), runtimeTar: join(folder, 'runtime.tar') };
  try {
    await Promise.all(Object.values(images).map((path) => access(path)));
  } catch {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await run('bash', [recipe, folder], { cwd: root, signal });
  }
  return images;
}

async function waitForEngine(docker: Docker, exited: () => boolean, signal: AbortSignal): Promise<void> {
  for (;;) {
    if (exited()) throw new Error('dockerd exited');
    try {
      await docker.ping();
      return;
    } catch {
      await setTimeout(100, undefined, { signal });
    }
  }
}

/** Also removes a bridge that a killed test run left behind. */
const removeBridge = () => run('ip', ['link', 'delete', bridge]).catch(() => undefined);

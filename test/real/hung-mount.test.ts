import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createFilesystem } from '../../src/host/filesystem.ts';
import { have, isRoot } from '../support/programs.ts';

const able = isRoot && have('bindfs', 'fusermount');

describe.skipIf(!able)('a mount that has stopped answering (root and apt-get install bindfs)', () => {
  let folder = '';
  let servers: ChildProcess[] = [];
  let mountPoints: string[] = [];

  /** Mounts `from` at a new folder below the host root; its server is the last of `servers`. */
  async function mount(from: string, name: string): Promise<string> {
    const at = join(folder, 'host', name);
    await mkdir(at, { recursive: true });
    const server = spawn('bindfs', ['-f', from, at], { stdio: 'ignore' });
    servers.push(server);
    mountPoints.push(at);
    while (!(await readFile('/proc/self/mountinfo', 'utf8')).includes(` ${at} `)) {
      if (server.exitCode !== null) throw new Error(`bindfs ended with ${server.exitCode}`);
      await setTimeout(10);
    }
    return at;
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hardening-hung-'));
    servers = [];
    mountPoints = [];
  });

  afterEach(async () => {
    // A FUSE server that goes takes everything that waits for it along.
    for (const server of servers) server.kill('SIGKILL');
    for (const at of mountPoints.toReversed()) execFileSync('umount', ['-l', at]);
    await rm(folder, { recursive: true });
  });

  const create = () => createFilesystem({ hostRoot: join(folder, 'host'), stateDir: '/' });

  test('the look ends at its deadline, others are not held up, and it works again when the mount does', async () => {
    await mount('/usr', 'a');
    const filesystem = create();
    const whole = await filesystem('/a', AbortSignal.timeout(10_000));
    servers[0]?.kill('SIGSTOP');
    const stuck = filesystem('/a', AbortSignal.timeout(300));
    const [, other] = await Promise.all([
      expect(stuck).rejects.toMatchObject({ name: 'TimeoutError' }),
      createFilesystem({ hostRoot: '/', stateDir: '/' })('/', AbortSignal.timeout(10_000)),
    ]);
    expect(other.sizeBytes).toBeGreaterThan(0);
    servers[0]?.kill('SIGCONT');
    // The killed look takes a moment to be gone.
    const again = await vi.waitFor(() => filesystem('/a', AbortSignal.timeout(10_000)));
    expect(again.sizeBytes).toBe(whole.sizeBytes);
  });

  test('while a killed look still hangs, the next says so at once', async () => {
    // The outer server has taken the request and waits for the inner one: not even SIGKILL ends such a look.
    const inner = await mount('/usr', 'inner');
    await mount(inner, 'outer');
    servers[0]?.kill('SIGSTOP');
    const filesystem = create();
    await expect(filesystem('/outer', AbortSignal.timeout(300))).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    const asked = performance.now();
    await expect(filesystem('/outer', AbortSignal.timeout(10_000))).rejects.toMatchObject({
      reason: 'timed_out',
      remedy: expect.stringContaining('findmnt'),
    });
    expect(performance.now() - asked).toBeLessThan(1000);
  });

  test('a process with a look that hangs can still exit', async () => {
    const inner = await mount('/usr', 'inner');
    await mount(inner, 'outer');
    servers[0]?.kill('SIGSTOP');
    const script = join(folder, 'look.mjs');
    const { build } = await import('esbuild');
    const source = new URL('../../src/host/filesystem.ts', import.meta.url).pathname;
    await build({
      stdin: {
        contents: `
          import { createFilesystem } from ${JSON.stringify(source)};
          const look = createFilesystem({ hostRoot: process.argv[2], stateDir: '/' });
          await look('/outer', AbortSignal.timeout(300)).catch(({ name }) => console.log(name));
          await look('/outer', AbortSignal.timeout(300)).catch(({ reason }) => console.log(reason));`,
        resolveDir: '/',
      },
      bundle: true,
      platform: 'node',
      format: 'esm',
      minifyWhitespace: true,
      minifySyntax: true,
      banner: {
        js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
      },
      outfile: script,
    });
    const looking = spawn(process.execPath, [script, join(folder, 'host')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    looking.stdout.on('data', (chunk) => {
      printed += chunk;
    });
    const [code] = await once(looking, 'exit', { signal: AbortSignal.timeout(10_000) });
    expect([code, printed]).toEqual([0, 'TimeoutError\ntimed_out\n']);
  });
});

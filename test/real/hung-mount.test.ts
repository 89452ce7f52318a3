import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { diskSpace } from '../../src/checks/disk/disk-space.ts';
import { createFilesystem } from '../../src/host/disk/filesystem.ts';
import { createStatfs } from '../../src/host/disk/statfs.ts';
import { type CheckResult, runCheck } from '../../src/run/runner.ts';
import { fakeHost, memoryOf } from '../support/fixtures/fake-host.ts';
import { bundled } from '../support/programs/bundle.ts';
import { have, isRoot } from '../support/programs/installed.ts';

const signal = AbortSignal.timeout(120_000);
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

  /** The processes of this one that look at filesystems, those that cannot die included. */
  const children = async (): Promise<string[]> => {
    const mine = await readFile(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8');
    const names = await Promise.all(
      mine.split(' ').map((pid) => readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')),
    );
    return names.filter((name) => name.startsWith('node'));
  };

  const create = ({ maxSeconds = 2, retrySeconds = 900 } = {}) =>
    createFilesystem({
      hostRoot: join(folder, 'host'),
      stateDir: '/',
      measure: createStatfs({ maxSeconds, retrySeconds }),
    });

  test('the measurement ends at its deadline, and works again when the mount does', async () => {
    await mount('/usr', 'a');
    const filesystem = create();
    const whole = await filesystem('/a', signal);
    servers[0]?.kill('SIGSTOP');
    for (const _ of ['first', 'again']) {
      await expect(filesystem('/a', signal)).rejects.toMatchObject({
        reason: 'mount_stuck',
        remedy: expect.stringContaining('findmnt --target /a'),
      });
    }
    servers[0]?.kill('SIGCONT');
    const again = await vi.waitFor(() => filesystem('/a', signal));
    expect(again.sizeBytes).toBe(whole.sizeBytes);
    await vi.waitFor(async () => expect(await children()).toEqual([]));
  });

  test("an earlier deadline of the caller's is reported as such", async () => {
    await mount('/usr', 'a');
    servers[0]?.kill('SIGSTOP');
    const look = create({ maxSeconds: 60 })('/a', AbortSignal.timeout(200));
    await expect(look).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  test('a replaced mount is found by the next measurement', async () => {
    const at = await mount('/usr', 'a');
    servers[0]?.kill('SIGSTOP');
    const filesystem = create({ retrySeconds: 0.5 });
    await expect(filesystem('/a', signal)).rejects.toMatchObject({ reason: 'mount_stuck' });
    // The look under way still waits for the one that was there.
    execFileSync('umount', ['-l', at]);
    mountPoints = [];
    await expect(filesystem('/a', signal)).rejects.toMatchObject({ reason: 'mount_stuck' });
    const found = await vi.waitFor(() => filesystem('/a', signal), { timeout: 5000 });
    expect(found.sizeBytes).toBeGreaterThan(0);
  });

  test('measurements that survive SIGKILL leave two processes at most', async () => {
    // The outer server has taken the request and waits for the inner one.
    const inner = await mount('/usr', 'inner');
    await mount(inner, 'outer');
    await mount('/usr', 'well');
    servers[0]?.kill('SIGSTOP');
    const filesystem = create({ maxSeconds: 1, retrySeconds: 0.1 });
    const until = performance.now() + 5000;
    while (performance.now() < until) {
      await expect(filesystem('/outer', signal)).rejects.toMatchObject({ reason: 'mount_stuck' });
      await filesystem('/well', signal);
      expect((await children()).length).toBeLessThanOrEqual(2);
    }
    expect((await children()).length).toBe(2);
    servers[0]?.kill('SIGCONT');
    await vi.waitFor(() => filesystem('/outer', signal));
    await vi.waitFor(async () => expect(await children()).toEqual([]));
  });

  test('eight hanging mounts do not delay other checks', async () => {
    const hung = Array.from({ length: 8 }, (_, n) => `/hung${n}`);
    const well = ['/well0', '/well1', '/well2', '/well3'];
    for (const path of [...hung, ...well]) await mount('/usr', path.slice(1));
    for (const server of servers.slice(0, hung.length)) server.kill('SIGSTOP');
    const maxSeconds = 5;
    const host = fakeHost({ filesystem: create({ maxSeconds }), memory: memoryOf(() => []) });

    // Hung ones come first, so that the others, which ask whether they lie on the same filesystem, must wait for none.
    const params = diskSpace.params.parse({
      paths: [...hung, ...well],
      warnUsedPercent: 100,
      failUsedPercent: 100,
    });
    const answeredAfter = new Map<string, number>();
    const timed: typeof diskSpace = {
      ...diskSpace,
      async examine(subject, ...others) {
        const asked = performance.now();
        const verdict = await diskSpace.examine(subject, ...others);
        answeredAfter.set(subject.target, performance.now() - asked);
        return verdict;
      },
    };
    const look = runCheck(timed, params, host, 20, signal);
    // Meanwhile the four threads of this process are free for files.
    const asked = performance.now();
    await Promise.all(Array.from({ length: 100 }, () => readFile(new URL(import.meta.url))));
    expect(performance.now() - asked).toBeLessThan(1000);
    const outcome = ({ findings }: CheckResult) =>
      Object.fromEntries(findings.map(({ target, status, reason }) => [target, reason ?? status]));
    const expected = Object.fromEntries([
      ...hung.map((path) => [path, 'mount_stuck']),
      ...well.map((path) => [path, 'pass']),
    ]);
    expect(outcome(await look)).toEqual(expected);
    expect([...answeredAfter.keys()].sort()).toEqual(well);
    for (const ms of answeredAfter.values()) expect(ms).toBeLessThan((maxSeconds * 1000) / 2);
    expect((await children()).length).toBe(1);

    const again = await runCheck(timed, params, host, 20, signal);
    expect(outcome(again)).toEqual(expected);
    expect(again.durationSeconds).toBeLessThan(maxSeconds / 2);
  });

  test('a process with a hanging measurement can still exit', async () => {
    const inner = await mount('/usr', 'inner');
    await mount(inner, 'outer');
    servers[0]?.kill('SIGSTOP');
    const script = join(folder, 'look.mjs');
    await cp(dirname(bundled('statfs')), folder, { recursive: true });
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    const { build } = await import('esbuild');
    const source = new URL('../../src/host/disk/filesystem.ts', import.meta.url).pathname;
    await build({
      stdin: {
        contents: `
          import { createFilesystem } from ${JSON.stringify(source)};
          const look = createFilesystem({ hostRoot: process.argv[2], stateDir: '/' });
          await look('/outer', AbortSignal.timeout(300)).catch(({ name }) => console.log(name));
          await look('/outer', AbortSignal.timeout(10_000)).catch(({ reason }) => console.log(reason));`,
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
    expect([code, printed]).toEqual([0, 'TimeoutError\nmount_stuck\n']);
  });
});

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { diskSpace } from '../../src/checks/disk/disk-space.ts';
import { createFilesystem } from '../../src/host/disk/filesystem.ts';
import { runCheck } from '../../src/run/runner.ts';
import { fakeHost, memoryOf } from '../support/fixtures/fake-host.ts';
import { have, isRoot } from '../support/programs/installed.ts';

const able =
  isRoot && have('mkfs.ext4', 'mkfs.xfs', 'mkfs.btrfs', 'mount') && existsSync('/dev/loop-control');
const signal = AbortSignal.timeout(300_000);
const mib = 1_048_576;
const run = (program: string, ...parameters: string[]) =>
  execFileSync(program, parameters, { stdio: 'pipe' });

/** `df` and `df -i` of a folder, as the host has it; no inodes where they are not counted. */
function df(folder: string) {
  const columns = '--output=size,used,avail,itotal,iavail';
  const [, line = ''] = execFileSync('df', ['-B1', columns, folder], { encoding: 'utf8' }).split('\n');
  const [sizeBytes, usedBytes, availableBytes, files, filesFree] = line
    .trim()
    .split(/\s+/)
    .map((column) => (column === '-' ? 0 : Number(column)));
  return { sizeBytes, usedBytes, availableBytes, files, filesFree };
}

const needs = 'root, loop devices and apt-get install e2fsprogs xfsprogs btrfs-progs mount';
describe.skipIf(!able)(`filesystems on loop devices (${needs})`, () => {
  describe.each([
    { type: 'ext4', megabytes: 128, mkfs: ['mkfs.ext4', '-q', '-m', '8'] },
    { type: 'xfs', megabytes: 320, mkfs: ['mkfs.xfs', '-q'] },
    { type: 'btrfs', megabytes: 512, mkfs: ['mkfs.btrfs', '-q'] },
  ])('$type', ({ type, megabytes, mkfs: [mkfs = '', ...parameters] }) => {
    let folder = '';
    let disk = '';
    let filesystem: ReturnType<typeof createFilesystem>;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), `hardening-${type}-`));
      disk = join(folder, 'host/disk');
      const image = join(folder, 'image');
      await mkdir(disk, { recursive: true });
      await writeFile(image, '');
      await truncate(image, megabytes * mib);
      run(mkfs, ...parameters, image);
      run('mount', '-t', type, '-o', 'loop', image, disk);
      filesystem = createFilesystem({ hostRoot: join(folder, 'host'), stateDir: '/' });
    });

    afterAll(async () => {
      run('umount', disk);
      await rm(folder, { recursive: true });
    });

    /** A new folder below the host root, with something mounted on it for the length of the test. */
    const mount = async (name: string, ...how: string[]) => {
      const at = join(folder, 'host', name);
      await mkdir(at);
      run('mount', ...how, at);
      onTestFinished(() => void run('umount', at));
      return at;
    };
    const judge = (...paths: string[]) => {
      const limits = { minSizeGiB: 0, warnUsedPercent: 100, failUsedPercent: 100 };
      const host = fakeHost({ filesystem, memory: memoryOf(() => []), engineUsage: async () => undefined });
      return runCheck(diskSpace, diskSpace.params.parse({ paths, ...limits }), host, 20, signal);
    };

    test('filled step by step, its figures are those of df and df -i', async () => {
      const files = join(disk, 'files');
      await mkdir(files);
      onTestFinished(() => rm(files, { recursive: true }));
      const seen: number[] = [];
      for (let step = 0; step < 7; step += 1) {
        await writeFile(join(files, `${step}`), Buffer.alloc((megabytes * mib) / 10, step));
        for (let n = 0; n < 100; n += 1) await writeFile(join(files, `${step}-${n}`), '');
        run('sync', '-f', disk);
        const found = await filesystem('/disk', signal);
        expect(found).toMatchObject({ ...df(disk), type, measured: '/disk', readOnly: false });
        seen.push(found.usedBytes);
      }
      expect(seen).toEqual(seen.toSorted((a, b) => a - b));
      expect(seen.at(-1)).toBeGreaterThan((megabytes * mib) / 2);
    });

    test('a second mount of it, or of a folder in it, is reported with the first', async () => {
      const part = join(disk, 'part');
      if (type === 'btrfs') run('btrfs', '-q', 'subvolume', 'create', part);
      else await mkdir(part);
      await mount('whole', '--bind', disk);
      await mount('part', '--bind', part);
      const { findings } = await judge('/disk', '/whole', '/part');
      expect(findings).toMatchObject([
        { target: '/disk', status: 'pass' },
        {
          target: '/whole',
          status: 'skip',
          message: '/whole is on the same filesystem as /disk and reported there',
        },
        {
          target: '/part',
          status: 'skip',
          message: '/part is on the same filesystem as /disk and reported there',
        },
      ]);
    });

    test('an overlay on it has its figures, and is reported with it', async () => {
      const layers = ['lower', 'upper', 'work'].map((name) => join(disk, name));
      for (const layer of layers) await mkdir(layer);
      const [lower, upper, work] = layers;
      // As the machine itself has it: by paths that are right at the root.
      const overlay = await mount(
        'overlay',
        '-t',
        'overlay',
        'overlay',
        '-o',
        `lowerdir=${lower},upperdir=${upper},workdir=${work}`,
      );
      filesystem = createFilesystem({ hostRoot: '/', stateDir: '/' });
      onTestFinished(() => {
        filesystem = createFilesystem({ hostRoot: join(folder, 'host'), stateDir: '/' });
      });
      // XFS frees the inodes that the mount has removed in the background.
      await vi.waitFor(async () =>
        expect(await filesystem(overlay, signal)).toMatchObject({ ...df(overlay), type: 'overlay' }),
      );
      expect((await judge(disk, overlay)).findings[1]).toMatchObject({
        status: 'skip',
        reason: 'not_applicable',
      });
    });

    // btrfs has no such call.
    if (type === 'btrfs') return;
    test('after the kernel has shut it down, it fails', async () => {
      run('xfs_io', '-x', '-c', 'shutdown', disk);
      const { findings } = await judge('/disk');
      expect(findings).toMatchObject([
        {
          status: 'fail',
          reason: 'io_error',
          message: expect.stringContaining('The filesystem at /disk has failed: '),
          remedy: expect.stringContaining('sudo dmesg'),
        },
      ]);
    });
  });
});

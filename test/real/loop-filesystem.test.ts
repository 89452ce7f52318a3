import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { diskSpace } from '../../src/checks/disk/disk-space.ts';
import { createFilesystem } from '../../src/host/disk/filesystem.ts';
import { fakeHost, memoryOf } from '../support/fixtures/fake-host.ts';
import { have, isRoot } from '../support/programs/installed.ts';

const able = isRoot && have('mkfs.ext4', 'mount') && existsSync('/dev/loop-control');
const signal = AbortSignal.timeout(60_000);

describe.skipIf(!able)(
  'a small ext4 filesystem (root, a loop device and apt-get install e2fsprogs mount)',
  () => {
    let folder = '';
    let disk = '';

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'hardening-loop-'));
      disk = join(folder, 'host/disk');
      const image = join(folder, 'image');
      await mkdir(disk, { recursive: true });
      await writeFile(image, '');
      await truncate(image, 24 * 1_048_576);
      // A tenth is kept for root, so that used and available do not add up to the size.
      execFileSync('mkfs.ext4', ['-q', '-F', '-m', '10', '-N', '64', image], { stdio: 'pipe' });
      execFileSync('mount', ['-o', 'loop', image, disk]);
    });

    afterAll(async () => {
      execFileSync('umount', [disk]);
      await rm(folder, { recursive: true });
    });

    const look = async () => {
      const host = fakeHost({
        filesystem: createFilesystem({ hostRoot: join(folder, 'host'), stateDir: '/' }),
        memory: memoryOf(() => []),
        engineUsage: async () => undefined,
      });
      const params = diskSpace.params.parse({ paths: ['/disk'], minSizeGiB: 0 });
      return diskSpace.examine({ target: '/disk', before: [] }, params, host, signal);
    };

    const df = (columns: string): number[] => {
      const out = execFileSync('df', ['-B1', `--output=${columns}`, disk], { encoding: 'utf8' });
      return (out.split('\n')[1] ?? '').trim().split(/\s+/).map(Number.parseFloat);
    };

    test('empty, it passes, and is too small where a size is required', async () => {
      expect(await look()).toMatchObject({ status: 'pass' });
      const host = fakeHost({
        filesystem: createFilesystem({ hostRoot: join(folder, 'host'), stateDir: '/' }),
        memory: memoryOf(() => []),
        engineUsage: async () => undefined,
      });
      const verdict = await diskSpace.examine(
        { target: '/disk', before: [] },
        diskSpace.params.parse({}),
        host,
        signal,
      );
      expect(verdict).toMatchObject({ status: 'warn', reason: 'too_small' });
    });

    test('filled with data, space is low by the percentage of df', async () => {
      const fill = join(disk, 'fill');
      onTestFinished(() => rm(fill));
      const [free = 0] = df('avail');
      await writeFile(fill, Buffer.alloc(Math.floor(free * 0.95)));
      execFileSync('sync', ['-f', fill]);
      const verdict = await look();
      const [used = 0, available = 0] = df('used,avail');
      const percent = ((100 * used) / (used + available)).toFixed(1);
      expect(verdict).toMatchObject({ status: 'fail', reason: 'space_low' });
      expect(verdict.message).toContain(`Used ${percent} % of `);
    });

    test('out of inodes, it fails with nearly all of its space free', async () => {
      const files = join(disk, 'files');
      await mkdir(files);
      onTestFinished(() => rm(files, { recursive: true }));
      await expect(
        (async () => {
          for (let n = 0; ; n += 1) await writeFile(join(files, `${n}`), '');
        })(),
      ).rejects.toMatchObject({ code: 'ENOSPC' });
      const verdict = await look();
      expect(verdict).toMatchObject({ status: 'fail', reason: 'inodes_low' });
      expect(verdict.message).toMatch(
        /^Used 100\.0 % of \d+ inodes at \/disk; used \d\.\d % of \d\d\.\d MiB/,
      );
      expect(df('ipcent')).toEqual([100]);
    });

    test('remounted read-only, as after an error, it fails as read_only', async () => {
      execFileSync('mount', ['-o', 'remount,ro', disk]);
      expect(await look()).toMatchObject({
        status: 'fail',
        reason: 'read_only',
        readings: expect.arrayContaining([{ gauge: 'filesystem_readonly', value: 1 }]),
      });
      execFileSync('mount', ['-o', 'remount,rw', disk]);
    });

    test('a read-only view of it is no read-only filesystem', async () => {
      execFileSync('mount', ['-o', 'remount,bind,ro', disk]);
      expect(await look()).toMatchObject({ status: 'pass' });
      execFileSync('mount', ['-o', 'remount,bind,rw', disk]);
    });
  },
);

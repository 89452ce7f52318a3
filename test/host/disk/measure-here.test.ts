import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Measurement } from '../../../src/host/disk/measure.ts';
import { createMeasureHere } from '../../../src/host/disk/measure-here.ts';
import { tempFolder } from '../../support/temp-folder.ts';

/** The mount table of a machine: ext4 at `/`, and these. */
const mounts = (more: Readonly<Record<string, string>> = {}) =>
  Object.entries({ '/': 'ext4', ...more })
    .map(([at, type]) => `1 2 3:4 / ${at} rw - ${type} source rw`)
    .join('\n');

describe('a filesystem is measured in this process', () => {
  test('on a local disk', async () => {
    const folder = await tempFolder();
    await mkdir(join(folder, 'data'));
    const measureHere = createMeasureHere(() => mounts());
    const measured = await measureHere(folder, '/data');
    expect(measured?.numbers?.sizeBytes).toBeGreaterThan(0);
  });

  test('also when nothing exists there', async () => {
    const measureHere = createMeasureHere(() => mounts());
    expect(await measureHere(await tempFolder(), '/nothing/here')).not.toHaveProperty('numbers');
  });

  test.each(['nfs4', 'cifs', '9p', 'fuse.bindfs', 'fuseblk', 'autofs', 'zfs', 'a-new-type'])(
    'but not when it is %s',
    async (type) => {
      const folder = await tempFolder();
      await mkdir(join(folder, 'data/below'), { recursive: true });
      const measureHere = createMeasureHere(() => mounts({ [join(folder, 'data')]: type }));
      expect(await measureHere(folder, '/data')).toBeUndefined();
      expect(await measureHere(folder, '/data/below')).toBeUndefined();
      expect(await measureHere(join(folder, 'data'), '/below')).toBeUndefined();
    },
  );

  test('but not when a link leads into one that may block', async () => {
    const folder = await tempFolder();
    await mkdir(join(folder, 'share'));
    await symlink('/share/images', join(folder, 'data'));
    const measureHere = createMeasureHere(() => mounts({ [join(folder, 'share')]: 'nfs4' }));
    expect(await measureHere(folder, '/data')).toBeUndefined();
  });
});

describe('a local disk that blocks', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test('costs one thread, and what follows is measured elsewhere until it answers', async () => {
    vi.useFakeTimers();
    const measured: Measurement = { resolved: { root: '/', path: '/' } };
    let answer = (_: Measurement) => {};
    const dying = new Promise<Measurement>((resolve) => {
      answer = resolve;
    });
    const started: string[] = [];
    const measureHere = createMeasureHere(
      () => mounts(),
      (_, path) => {
        started.push(path);
        return path === '/dying' ? dying : Promise.resolve(measured);
      },
    );
    const first = measureHere('/', '/dying');
    const second = measureHere('/', '/second');
    await vi.advanceTimersByTimeAsync(1100);
    expect([await first, await second]).toEqual([undefined, undefined]);
    expect(await measureHere('/', '/third')).toBeUndefined();
    expect(started).toEqual(['/dying']);

    answer(measured);
    await vi.advanceTimersByTimeAsync(0);
    expect(await measureHere('/', '/fourth')).toBe(measured);
  });
});

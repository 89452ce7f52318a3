import { mkdir, rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { never } from '../../../../src/deadline.ts';
import { createSystemFile } from '../../../../src/host/network/dns/system-file.ts';
import { readRegularFile } from '../../../../src/read-file.ts';
import { tempFolder } from '../../../support/temp-folder.ts';

vi.mock(import('../../../../src/read-file.ts'), async (original) => {
  const { readRegularFile: read } = await original();
  return { readRegularFile: vi.fn(read) };
});
const reads = vi.mocked(readRegularFile);
afterEach(() => {
  reads.mockClear();
  vi.useRealTimers();
});

async function fileWith(text: string, maxBytes = 1_048_576) {
  const path = join(await tempFolder(), 'hosts');
  await writeFile(path, text);
  return { path, read: createSystemFile(path, maxBytes) };
}

/** The times of the files so far are no longer those of a file that has just been written. */
const later = () => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });

test('a file that has not changed is read once', async () => {
  const { read } = await fileWith('first');
  later();
  expect([await read(never), await read(never)]).toEqual(['first', 'first']);
  expect(reads).toHaveBeenCalledTimes(1);
});

test('a changed file is read again, also one with the same size and time', async () => {
  const { path, read } = await fileWith('first');
  later();
  expect(await read(never)).toBe('first');
  const before = new Date('2026-01-01');
  await utimes(path, before, before);
  expect(await read(never)).toBe('first');
  await writeFile(path, 'later');
  await utimes(path, before, before);
  expect(await read(never)).toBe('later');
  await writeFile(`${path}.new`, 'third');
  await utimes(`${path}.new`, before, before);
  await rename(`${path}.new`, path);
  expect(await read(never)).toBe('third');
});

test('a file that was written a moment ago is not kept', async () => {
  const { read } = await fileWith('first');
  expect([await read(never), await read(never)]).toEqual(['first', 'first']);
  expect(reads).toHaveBeenCalledTimes(2);
});

test('a large file is not kept', async () => {
  const { read } = await fileWith('x'.repeat(100_000));
  later();
  await read(never);
  expect(await read(never)).toHaveLength(100_000);
  expect(reads).toHaveBeenCalledTimes(2);
});

test('an absent file is empty until it is there', async () => {
  const path = join(await tempFolder(), 'hosts');
  const read = createSystemFile(path, 1000);
  expect(await read(never)).toBe('');
  await writeFile(path, 'first');
  expect(await read(never)).toBe('first');
});

test('a folder in its place, and a file that is too large, are errors', async () => {
  const folder = join(await tempFolder(), 'hosts');
  await mkdir(folder);
  const failing = { reason: 'dns_failed', message: expect.stringContaining(' cannot be read: ') };
  await expect(createSystemFile(folder, 1000)(never)).rejects.toMatchObject(failing);
  const { read } = await fileWith('x'.repeat(1001), 1000);
  await expect(read(never)).rejects.toMatchObject(failing);
});

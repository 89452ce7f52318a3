import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rmdir, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openStateFile, readStateFile } from '../../src/state/state-file.ts';
import { tempFolder } from '../support/temp-folder.ts';

const stateOf = (folder: string) => readFile(join(folder, 'state.json'), 'utf8');

test('what was set is there again in the next process, once flushed', async () => {
  const folder = await tempFolder();
  const memory = await openStateFile(folder);
  memory.set('policy', { version: 7 });
  memory.set('__proto__', 'a name like any other');
  expect(memory.get('policy')).toEqual({ version: 7 });
  await memory.flush();
  expect(memory.problem()).toBeUndefined();
  const next = await openStateFile(folder);
  expect(next.get('policy')).toEqual({ version: 7 });
  expect((await readStateFile(folder)).get('policy')).toEqual({ version: 7 });
});

test('what is set to undefined is forgotten', async () => {
  const folder = await tempFolder();
  const memory = await openStateFile(folder);
  memory.set('policy', 1);
  await memory.flush();
  memory.set('policy', undefined);
  await memory.flush();
  expect((await openStateFile(folder)).get('policy')).toBeUndefined();
});

test('a missing folder is created where its parent exists, readable by the agent alone', async () => {
  const folder = join(await tempFolder(), 'state');
  const memory = await openStateFile(folder);
  memory.set('policy', 1);
  await memory.flush();
  expect(memory.problem()).toBeUndefined();
  expect(await readdir(folder)).toEqual(['state.json']);
});

test('the folder and the file are readable by the agent alone, whatever the umask', async () => {
  const before = process.umask(0);
  try {
    const folder = join(await tempFolder(), 'state');
    const memory = await openStateFile(folder);
    memory.set('policy', { password: 'in a policy' });
    await memory.flush();
    const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
    expect(await mode(folder)).toBe('700');
    expect(await mode(join(folder, 'state.json'))).toBe('600');
  } finally {
    process.umask(before);
  }
});

describe('without a state file it goes on, and reports why', () => {
  test('where a file lies in the place of the folder', async () => {
    const file = join(await tempFolder(), 'file');
    await writeFile(file, '');
    const memory = await openStateFile(file);
    expect(memory.problem()).toMatchObject({ kind: 'absent', message: expect.stringContaining(file) });
    memory.set('policy', 1);
    await memory.flush();
  });

  test('in a place that not even root can write to', async () => {
    const memory = await openStateFile('/sys/eflow-hardening');
    expect(memory.problem()).toMatchObject({ kind: 'absent' });
    memory.set('policy', 1);
    await memory.flush();
    expect(memory.problem()).toMatchObject({ kind: 'absent' });
  });

  test('where a folder cannot be made below its parent, without retrying endlessly', async () => {
    const memory = await openStateFile('/proc/nowhere');
    expect(memory.problem()).toMatchObject({
      kind: 'absent',
      message: expect.stringContaining('no such file or directory'),
    });
  });

  test('where a later write fails, until one succeeds', async () => {
    const folder = join(await tempFolder(), 'state');
    const memory = await openStateFile(folder);
    // A folder where the new file should be written stands for a disk that takes no more.
    await mkdir(join(folder, 'state.json.new'));
    memory.set('policy', 1);
    await memory.flush();
    expect(memory.problem()).toMatchObject({
      kind: 'unwritable',
      message: expect.stringContaining('EISDIR'),
    });
    expect(memory.get('policy')).toBe(1);
    await rmdir(join(folder, 'state.json.new'));
    memory.set('policy', 2);
    await memory.flush();
    expect(memory.problem()).toBeUndefined();
    expect((await openStateFile(folder)).get('policy')).toBe(2);
  });
});

describe('a file that is not what was written is kept aside, and the start is clean', () => {
  test.each([
    ['of zero bytes', '', 'damaged'],
    ['half-written', '{"version":1,"values":{"pol', 'damaged'],
    ['garbage', '\u0000\u0001garbage', 'damaged'],
    ['a list', '[]', 'damaged'],
    ['without a version', '{"values":{}}', 'damaged'],
    ['without values', '{"version":1}', 'damaged'],
    ['from a newer agent', '{"version":2,"values":{"policy":1}}', 'newer'],
    ['from a newer agent that keeps another shape', '{"version":2,"data":{}}', 'newer'],
  ])('%s', async (_, text, kind) => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'state.json'), text);
    const memory = await openStateFile(folder);
    expect(memory.problem()).toMatchObject({ kind });
    expect(memory.get('policy')).toBeUndefined();
    expect(await readFile(join(folder, `${kind}-state.json`), 'utf8')).toBe(text);
    memory.set('policy', 2);
    await memory.flush();
    expect((await openStateFile(folder)).get('policy')).toBe(2);
  });

  test.each([
    ['{"values":{}}', 'is damaged: it has no "version"'],
    ['root:$6$secret', 'is damaged: it is not JSON'],
    ['{"version":1,"values":5}', 'is damaged: it has no "values"'],
    ['{"version":2,"data":{}}', 'was written by a newer agent, in format 2'],
  ])('%s is reported in one sentence', async (text, message) => {
    const folder = await tempFolder();
    const file = join(folder, 'state.json');
    await writeFile(file, text);
    expect((await openStateFile(folder)).problem()?.message).toBe(`${file} ${message}`);
  });

  test.each(['state.json', 'state.json.new'])('%s as a FIFO does not block the start', async (name) => {
    const folder = await tempFolder();
    execFileSync('mkfifo', [join(folder, name)]);
    const memory = await openStateFile(folder);
    memory.set('policy', 2);
    await memory.flush();
    expect((await openStateFile(folder)).get('policy')).toBe(2);
    const damaged = name === 'state.json';
    expect(memory.problem()?.message).toBe(
      damaged ? `Could not read ${join(folder, name)}: it is not a regular file` : undefined,
    );
    expect(await readdir(folder)).toEqual([...(damaged ? ['damaged-state.json'] : []), 'state.json']);
  });

  test('of 10 GB, which is not even read', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'state.json'), '{"version":1,"values":{"policy":1}}');
    await truncate(join(folder, 'state.json'), 1e10);
    const memory = await openStateFile(folder);
    expect(memory.problem()).toMatchObject({
      kind: 'damaged',
      message: expect.stringContaining('it has 9536.7 MiB, the limit is 4 MiB'),
    });
    expect(memory.get('policy')).toBeUndefined();
  });

  test('cut at any byte: a clean start, the piece kept aside, and reported once', async () => {
    const folder = await tempFolder();
    const file = join(folder, 'state.json');
    const memory = await openStateFile(folder);
    memory.set('policy', { version: 7, document: { note: 'ü\u{1F4BE}' } });
    await memory.flush();
    const whole = await readFile(file);
    for (let length = 0; length < whole.length; length += 1) {
      await writeFile(file, whole.subarray(0, length));
      const cut = await openStateFile(folder);
      expect([length, cut.get('policy'), cut.problem()?.kind]).toEqual([length, undefined, 'damaged']);
      expect(await readFile(join(folder, 'damaged-state.json'))).toEqual(whole.subarray(0, length));
      expect((await openStateFile(folder)).problem()).toBeUndefined();
    }
    expect(await readdir(folder)).toEqual(['damaged-state.json', 'state.json']);
    await writeFile(file, whole);
    expect((await openStateFile(folder)).get('policy')).toEqual({
      version: 7,
      document: { note: 'ü\u{1F4BE}' },
    });
  });

  test('looking only leaves it where it is', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'state.json'), 'garbage');
    expect((await readStateFile(folder)).problem()).toMatchObject({ kind: 'damaged' });
    expect(await readdir(folder)).toEqual(['state.json']);
  });
});

test('a file left half-written beside the last good one does no harm', async () => {
  const folder = await tempFolder();
  const memory = await openStateFile(folder);
  memory.set('policy', 1);
  await memory.flush();
  await writeFile(join(folder, 'state.json.new'), '{"version":1,"val');
  const next = await openStateFile(folder);
  expect([next.get('policy'), next.problem()]).toEqual([1, undefined]);
});

test('a reader during a write sees a whole file', async () => {
  const folder = await tempFolder();
  const memory = await openStateFile(folder);
  let writing = true;
  const writes = (async () => {
    for (let i = 0; i < 50; i += 1) {
      memory.set('policy', 'x'.repeat(10_000 + i));
      await memory.flush();
    }
    writing = false;
  })();
  let reads = 0;
  while (writing) {
    JSON.parse(await stateOf(folder));
    reads += 1;
  }
  await writes;
  expect(reads).toBeGreaterThan(0);
});

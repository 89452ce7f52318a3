import { describe, expect, test } from 'vitest';
import { importsOf, type Source, sourcesIn } from './support/imports.ts';

const src = await sourcesIn('src');

describe('the agent only reads', () => {
  const readingFunctions = [
    ...[
      'access',
      'constants',
      'createReadStream',
      'fstatSync',
      'lstat',
      'opendir',
      'readdir',
      'readFile',
      'readFileSync',
      'readlink',
    ],
    ...['realpath', 'stat', 'statfs', 'unwatchFile', 'watchFile'],
  ];
  const exceptions: Readonly<Record<string, readonly string[]>> = {
    // Writes the state folder.
    'src/state/state-file.ts': ['mkdir', 'open', 'rename', 'rm'],
    // Writes the file of --junit.
    'src/cli/check.ts': ['writeFile'],
    // Opens for reading only, see below.
    'src/read-file.ts': ['open'],
    // Opens the TPM, which takes commands by being written to, and refuses whatever is no device.
    'src/host/tpm/character-device.ts': ['open'],
  };

  /** The functions of node:fs that a source imports though they do more than read. */
  const writingImports = (source: Source): string[] =>
    importsOf(source)
      .filter(({ from, typeOnly }) => /^(node:)?fs\b/.test(from) && !typeOnly)
      .flatMap(({ names }) => names)
      .filter((name) => !readingFunctions.includes(name) && !exceptions[source.path]?.includes(name));

  test('only the state folder and the --junit file are written', () => {
    expect(
      src.flatMap((source) => writingImports(source).map((name) => `${source.path} imports ${name}`)),
    ).toEqual([]);
  });

  test('the host opens files for reading only, except the TPM', () => {
    const readers = src.filter(({ path }) => path.startsWith('src/host/') || path === 'src/read-file.ts');
    for (const { path, text } of readers) {
      if (path !== 'src/host/tpm/character-device.ts')
        expect(text).not.toMatch(/\bopen\([^)]*['"`](?:[wa]|rs?\+)/);
      expect(text).not.toMatch(/\bO_(?:WRONLY|RDWR|CREAT|TRUNC|APPEND)\b/);
    }
  });

  test('HTTP requests use only GET, HEAD and CONNECT, and POST for the signature of a token', () => {
    const methods = src.flatMap(({ path, text }) =>
      [...text.matchAll(/\bmethod: ?['"`](\w+)/g)].map(([, method]) => `${path}: ${method}`),
    );
    expect(methods).not.toEqual([]);
    expect(methods.filter((method) => !/: (GET|HEAD|CONNECT)$/.test(method))).toEqual([
      'src/host/edge/unix-request.ts: POST',
    ]);
    // With a body it is a POST: `sign` of the workload API is the only such call, and the others pass none.
    const users = src.filter((source) =>
      importsOf(source).some(({ from }) => from.endsWith('/unix-request.ts')),
    );
    const [workload, ...others] = users.toSorted((a, b) => a.path.localeCompare(b.path));
    expect([workload, ...others].map((user) => user?.path)).toEqual([
      'src/host/edge/workload.ts',
      'src/host/engine/client.ts',
      'src/host/identity/identityd.ts',
    ]);
    for (const { text } of others) {
      expect(text.match(/requestOverUnixSocket\([^)]*/g)).toEqual([
        expect.stringContaining('({ socketPath, what, path, maxBytes }, '),
      ]);
    }
    expect(workload?.text.match(/\bbody\b.*? }, \w+, signal\)/g)).toEqual(['body }, digest, signal)']);
  });

  test.each([
    ["import { writeFile } from 'node:fs/promises';", ['writeFile']],
    ["import { readFile, type Stats, rm } from 'node:fs';", ['Stats', 'rm']],
    ["import * as fs from 'node:fs';", ['*']],
    ["import fs from 'fs';", ['default']],
    ["const { rm, stat: renamed } = await import('node:fs/promises');", ['rm']],
    ["const fs = await import('node:fs');", ['*']],
    ["const script = `const { cp } = require('node:fs');`;", ['cp']],
    ["import type { Stats } from 'node:fs';", []],
    ["import { readFile } from 'node:fs/promises';", []],
  ])('from %j the test extracts %j', (text, expected) => {
    expect(writingImports({ path: 'src/checks/made-up.ts', text })).toEqual(expected);
  });
});

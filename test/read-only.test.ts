import { describe, expect, test } from 'vitest';
import { importsOf, type Source, sourcesIn } from './support/imports.ts';

const src = await sourcesIn('src');

describe('it only reads', () => {
  const reading = [
    ...['access', 'constants', 'lstat', 'opendir', 'readdir', 'readFile', 'readFileSync', 'readlink'],
    ...['realpath', 'stat', 'statfs', 'unwatchFile', 'watchFile'],
  ];
  const more: Readonly<Record<string, readonly string[]>> = {
    // The state folder.
    'src/state/state-file.ts': ['mkdir', 'open', 'rename', 'rm'],
    // The report that --junit asks for.
    'src/cli/check.ts': ['writeFile'],
    // For reading, as the next test looks into.
    'src/read-file.ts': ['open'],
  };

  /** What a source takes of node:fs beyond reading. */
  const writing = (source: Source): string[] =>
    importsOf(source)
      .filter(({ from, typeOnly }) => /^(node:)?fs\b/.test(from) && !typeOnly)
      .flatMap(({ names }) => names)
      .filter((name) => !reading.includes(name) && !more[source.path]?.includes(name));

  test('only the state folder and the report asked for are written', () => {
    expect(src.flatMap((source) => writing(source).map((name) => `${source.path} imports ${name}`))).toEqual(
      [],
    );
  });

  test('what the host opens, it opens for reading', () => {
    const readers = src.filter(({ path }) => path.startsWith('src/host/') || path === 'src/read-file.ts');
    for (const { text } of readers) {
      expect(text).not.toMatch(/\bopen\([^)]*['"`](?:[wa]|r\+)/);
      expect(text).not.toMatch(/\bO_(?:WRONLY|RDWR|CREAT|TRUNC|APPEND)\b/);
    }
  });

  test('nothing asks for more than GET, HEAD or a tunnel', () => {
    const methods = src.flatMap(({ text }) =>
      [...text.matchAll(/\bmethod: ?['"`](\w+)/g)].map(([, method]) => method),
    );
    expect(methods).not.toEqual([]);
    expect(methods.filter((method) => !['GET', 'HEAD', 'CONNECT'].includes(method ?? ''))).toEqual([]);
  });

  test.each([
    ["import { writeFile } from 'node:fs/promises';", ['writeFile']],
    ["import { readFile, type Stats, rm } from 'node:fs';", ['Stats', 'rm']],
    ["import * as fs from 'node:fs';", ['*']],
    ["import fs from 'fs';", ['default']],
    ["const { rm, stat: look } = await import('node:fs/promises');", ['rm']],
    ["const fs = await import('node:fs');", ['*']],
    ["const script = `const { cp } = require('node:fs');`;", ['cp']],
    ["import type { Stats } from 'node:fs';", []],
    ["import { readFile } from 'node:fs/promises';", []],
  ])('%s is seen through', (text, expected) => {
    expect(writing({ path: 'src/checks/made-up.ts', text })).toEqual(expected);
  });
});

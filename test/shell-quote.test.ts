import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { shellQuote } from '../src/shell-quote.ts';

test.each([
  ['/var/lib/aziot', '/var/lib/aziot'],
  ['https://hub.test:443/v2/', 'https://hub.test:443/v2/'],
  ['', "''"],
  ['~', "'~'"],
  ['/srv/my data', "'/srv/my data'"],
  ['https://hub.test/a?b=1&c=2', "'https://hub.test/a?b=1&c=2'"],
  ["it's", "'it'\\''s'"],
])('%j is written %s', (text, quoted) => {
  expect(shellQuote(text)).toBe(quoted);
});

test.each([
  '',
  '~',
  '-n',
  'a b',
  "it's",
  '$(id) `id` $HOME',
  '*',
  '[::1]',
  'a\\b"c',
  "''",
  'new\nline',
  'é;|&<>#!',
])('the shell reads %j back unchanged', (text) => {
  expect(execFileSync('sh', ['-c', `printf %s. ${shellQuote(text)}`], { encoding: 'utf8' })).toBe(`${text}.`);
});

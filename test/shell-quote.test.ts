import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { shellQuote } from '../src/shell-quote.ts';

test.each(['/var/lib', "a'$(id)'b", '$HOME `id` "x"', '*', '', '\\', 'two\nlines', '~', '#', "''"])(
  'a shell reads %j as one word, unchanged',
  (text) => {
    expect(execFileSync('sh', ['-c', `printf %s ${shellQuote(text)}`], { encoding: 'utf8' })).toBe(text);
  },
);

test('a plain path stays as it is', () => {
  expect(shellQuote('/var/lib/aziot-1.5/a_b')).toBe('/var/lib/aziot-1.5/a_b');
});

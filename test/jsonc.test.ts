import { expect, test } from 'vitest';
import { parseJsonc } from '../src/jsonc.ts';

test.each([
  ['{ "a": 1 } // the end', { a: 1 }],
  ['// head\n{ "a": 1 }', { a: 1 }],
  ['{ /* one */ "a": /* two */ 1 }', { a: 1 }],
  ['/* over\n lines */ [1]', [1]],
  ['{ "a": 1 // first\r\n, "b": 2 }', { a: 1, b: 2 }],
  ['"tls://hub.test:8883"', 'tls://hub.test:8883'],
  ['"/var/lib/aziot/certd/certs/*"', '/var/lib/aziot/certd/certs/*'],
  ['["/* no comment */", "a // b"]', ['/* no comment */', 'a // b']],
  ['"a quote \\" // still inside"', 'a quote " // still inside'],
  ['"a backslash \\\\" // outside', 'a backslash \\'],
  ['/* // */ 1', 1],
  ['// /*\n1', 1],
  ['/***/ 1', 1],
  ['null', null],
  ['\uFEFF{ "a": 1 }', { a: 1 }],
  ['\uFEFF// head\n["\uFEFF"]', ['\uFEFF']],
])('%j is understood', (text, value) => {
  expect(parseJsonc(text)).toEqual(value);
});

test.each([
  ['nothing', ''],
  ['only a comment', '// nothing\n'],
  ['a comment that does not end', '/* { "a": 1 }'],
  ['a string that does not end', '{ "a": "b }'],
  ['a comment inside a number', '1/* */2'],
  ['a comma too many', '{ "a": 1, }'],
  ['half a document', '{ "checks": {'],
])('%s is a SyntaxError', (_, text) => {
  expect(() => parseJsonc(text)).toThrow(SyntaxError);
});

test('an error is told at its line and column, comments counted', () => {
  const text = '{ // one\n  /* two\n     three */\n  "a": oops\n}';
  const message = (() => {
    try {
      return parseJsonc(text);
    } catch (error) {
      return String(error);
    }
  })();
  // The position is right only if the length is kept.
  expect(message).toMatch(/Unexpected token '?o/);
  const twice = () => parseJsonc(`\uFEFF${text.replace('oops', '1 1')}`);
  expect(twice).toThrow(new RegExp(`position ${text.indexOf('oops') + 2} \\(line 4 column 10\\)$`));
});

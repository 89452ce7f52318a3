import { expect, test } from 'vitest';
import { parseJsonc } from '../../src/policy/jsonc.ts';

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

test.each([
  ['{ // one\n  /* two\n     three */\n  "a": oops\n}', 'line 4, column 8: invalid symbol'],
  ['\uFEFF{ "a": 1 1 }', 'line 1, column 10: comma expected'],
  ['{ "a": 1, }', 'line 1, column 11: property name expected'],
  ['{\n  "a" 1 }', 'line 2, column 7: colon expected'],
  ['[1', 'line 1, column 3: close bracket expected'],
])('%j names its line and column, comments counted', (text, message) => {
  expect(() => parseJsonc(text)).toThrow(message);
});

test('a document nested a hundred thousand levels deep is one plain error', () => {
  expect(() => parseJsonc('['.repeat(100_000))).toThrow(SyntaxError);
});

test('a key named __proto__ is a key', () => {
  expect(Object.keys(parseJsonc('{ "__proto__": {} } // comment') as object)).toEqual(['__proto__']);
});

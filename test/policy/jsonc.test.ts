import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJsonc as parse } from '../../src/policy/jsonc.ts';
import { checkProperty } from '../support/properties.ts';

const parseJsonc = (text: string) => parse(text).value;

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
  ['[-0.5e-3, 10, 0, 1E2]', [-0.0005, 10, 0, 100]],
  ['[true, false, null, {}, []]', [true, false, null, {}, []]],
  [String.raw`"\"\\\/\b\f\n\r\t\u00fc\ud83d"`, '"\\/\b\f\n\r\t\u00fc\ud83d'],
  ['{"a":{"b":[1,{"c":2}]},"d":3}', { a: { b: [1, { c: 2 }] }, d: 3 }],
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
  [
    '{ // one\n  /* two\n     three */\n  "a": oops\n}',
    'line 4, column 8: expected a value; text must be in double quotes',
  ],
  ['\uFEFF{ "a": 1 1 }', 'line 1, column 10: a comma or "}" is missing'],
  ['[1 2]', 'line 1, column 4: a comma or "]" is missing'],
  ['{ "a": 1, }', 'line 1, column 9: remove this comma before "}"'],
  ['[\n  1, // one\n]', 'line 2, column 4: remove this comma before "]"'],
  ['[,1]', 'line 1, column 2: expected a value; text must be in double quotes'],
  ['{\n  "a" 1 }', 'line 2, column 7: a colon is missing'],
  ['{ a: 1 }', 'line 1, column 3: a key must be in double quotes'],
  ["{ 'a': 1 }", 'line 1, column 3: a key must be in double quotes'],
  ["['a']", 'line 1, column 2: text must be in double quotes'],
  ['[1', 'line 1, column 1: this "[" has no "]"'],
  ['\n{ "checks": {', 'line 2, column 13: this "{" has no "}"'],
  ['{ "a":', 'line 1, column 7: the document ends where a value is missing'],
  ['{} {}', 'line 1, column 4: the document ends before this'],
  ['{ "a": "b }\n', 'line 1, column 8: this text has no closing quote on its line'],
  ['"C:\\certs"', String.raw`line 1, column 4: this escape is unknown; write \\ for a backslash`],
  [String.raw`"\u12g4"`, 'line 1, column 2: this escape is unknown'],
  ['"a\tb"', 'line 1, column 3: a control character must be escaped'],
  ['1 /* x', 'line 1, column 3: this comment has no end'],
  ['[01]', 'line 1, column 2: expected a value'],
  ['[.5]', 'line 1, column 2: expected a value'],
  ['[1.]', 'line 1, column 2: expected a value'],
  ['[NaN]', 'line 1, column 2: expected a value'],
  ['// nothing\n', 'line 2, column 1: the document is empty'],
])('%j names its line and column, comments counted', (text, message) => {
  expect(() => parseJsonc(text)).toThrow(`not JSON: ${message}`);
});

test('no message contains a part of the text', () => {
  const secret = 's3cret';
  for (const text of [
    secret,
    `"${secret}`,
    `{"a":${secret}}`,
    `{"${secret}"}`,
    `[1 ${secret}]`,
    `/* ${secret}`,
  ]) {
    expect(() => parseJsonc(text)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining(secret) }),
    );
  }
});

describe('work is bounded', () => {
  // With a parser that starts over at each of them, these would take minutes.
  test.each([
    ['escaped quotes', '\\"'],
    ['comments that do not end', '/* '],
    ['comments', '/**/'],
    ['brackets', '['],
    ['objects', '{"a":'],
    ['values', '0,'],
    ['quotes', '"'],
    ['backslashes in a text', '"\\\\'],
  ])('1 MiB of %s is one problem', (_, text) => {
    expect(() => parseJsonc(text.repeat(1_048_576 / text.length))).toThrow(SyntaxError);
  });

  test.each(['[', '{"a":'])('32 levels of %s are read, one more is refused', (open) => {
    const close = open === '[' ? ']' : '}';
    const nested = (levels: number) =>
      `${open.repeat(levels)}${open === '[' ? '' : '0'}${close.repeat(levels)}`;
    expect(() => parseJsonc(nested(32))).not.toThrow();
    expect(() => parseJsonc(nested(33))).toThrow('nested more than 32 levels deep');
  });

  test('20,000 values are read, one more is refused', () => {
    const values = (count: number) => `[${Array(count).fill('0').join()}]`;
    expect(parseJsonc(values(19_999))).toHaveLength(19_999);
    expect(() => parseJsonc(values(20_000))).toThrow('line 1, column 40000: more than 20000 values');
  });
});

test('what is written as JSON is read as JSON.parse reads it', () => {
  checkProperty(
    fc.property(
      fc.json({ maxDepth: 8 }),
      fc.constantFrom('', ' ', '\n', '/* , */', '//"\n'),
      (text, blank) => {
        expect(parseJsonc(`${blank}${text}${blank}`)).toEqual(JSON.parse(text));
      },
    ),
    500,
  );
});

describe('positions', () => {
  const { positionOf, duplicates } = parse(
    '{\n  "a": [1, { "b": 2 }],\n  "c": 3, "c": 4, "d": { "e": 1, "e": 2 }\n}',
  );

  test.each<[(string | number)[], string]>([
    [[], 'line 1, column 1'],
    [['a'], 'line 2, column 3'],
    [['a', 0], 'line 2, column 9'],
    [['a', 1, 'b'], 'line 2, column 14'],
    [['a', 1, 'missing'], 'line 2, column 12'],
    [['missing', 'too'], 'line 1, column 1'],
    [['c'], 'line 3, column 11'],
  ])('%j is at %s', (path, position) => {
    expect(positionOf(path)).toBe(position);
  });

  test('keys that an object contains twice are listed with their paths', () => {
    expect(duplicates).toEqual([['c'], ['d', 'e']]);
  });
});

test('a key named __proto__ is a key', () => {
  expect(Object.keys(parseJsonc('{ "__proto__": {} } // comment') as object)).toEqual(['__proto__']);
});

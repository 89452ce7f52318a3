import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeText } from '../../src/policy/decode-text.ts';
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
  ['[01]', 'line 1, column 2: remove the leading zero of this number'],
  ['{ "a": -007.5 }', 'line 1, column 8: remove the leading zero of this number'],
  ['[+1]', 'line 1, column 2: remove the plus sign of this number'],
  ['[.5]', 'line 1, column 2: a decimal point needs a digit on both sides'],
  ['[-.5]', 'line 1, column 2: a decimal point needs a digit on both sides'],
  ['[1.]', 'line 1, column 2: a decimal point needs a digit on both sides'],
  ['[1.e5]', 'line 1, column 2: a decimal point needs a digit on both sides'],
  ['[0x10]', 'line 1, column 2: this is not a number'],
  ['[1e]', 'line 1, column 2: this is not a number'],
  ['[-]', 'line 1, column 2: this is not a number'],
  ['[5s]', 'line 1, column 2: this is not a number'],
  ['[NaN]', 'line 1, column 2: expected a value'],
  ['// nothing\n', 'line 2, column 1: the document is empty'],
])('%j names its line and column, comments counted', (text, message) => {
  expect(() => parseJsonc(text)).toThrow(`not JSON: ${message}`);
});

test.each(['1e999', '-1e999', `1${'0'.repeat(400)}`])('the number %.6s is too large', (number) => {
  expect(() => parseJsonc(`{\n  "a": ${number} }`)).toThrow('line 2, column 8: this number is too large');
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
  const { offsetOf, positionAt, duplicates } = parse(
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
    expect(positionAt(offsetOf(path))).toBe(position);
  });

  test('keys that an object contains twice are listed with their paths', () => {
    expect(duplicates.map(({ path }) => path)).toEqual([['c'], ['d', 'e']]);
  });

  test('each repetition of a key is listed where it is written, also inside an object that is repeated', () => {
    const repeated = parse('{\n"a": { "b": 1,\n"b": 2 },\n"a": {},\n"a": { "b": 3 } }');
    expect(repeated.duplicates.map(({ offset }) => repeated.positionAt(offset))).toEqual([
      'line 3, column 1',
      'line 4, column 1',
      'line 5, column 1',
    ]);
  });

  test('the position of any offset counts the lines before it', () => {
    checkProperty(
      fc.property(fc.string({ unit: fc.constantFrom('\n', ' ', '\r') }), fc.nat(40), (blanks, at) => {
        const before = `${blanks}1`.slice(0, at);
        const lines = before.split('\n');
        expect(parse(`${blanks}1`).positionAt(before.length)).toBe(
          `line ${lines.length}, column ${(lines.at(-1) ?? '').length + 1}`,
        );
      }),
      300,
    );
  });
});

test('a key named __proto__ is a key', () => {
  expect(Object.keys(parseJsonc('{ "__proto__": {} } // comment') as object)).toEqual(['__proto__']);
});

describe('the bytes of a file', () => {
  test.each([
    ['with a byte order mark', Buffer.from('\ufeff{}', 'utf16le')],
    ['big-endian, with a byte order mark', Buffer.from('\ufeff{}', 'utf16le').swap16()],
    ['without a byte order mark', Buffer.from('{ "note": "\u00fc" }', 'utf16le')],
    ['big-endian, without a byte order mark', Buffer.from('{}', 'utf16le').swap16()],
    ['with a comment that is not ASCII', Buffer.from('//\u4e2d\u6587\n{}', 'utf16le')],
    ['of one character', Buffer.from('5', 'utf16le')],
  ])('that are UTF-16 are refused by name, %s', (_, bytes) => {
    expect(() => decodeText(bytes)).toThrow(new SyntaxError('the text is UTF-16; save it as UTF-8'));
  });

  test.each<[string, number[], string]>([
    ['a Latin-1 letter', [0xfc], 'line 2, column 4: byte 6'],
    ['a byte that begins no character', [0x80], 'line 2, column 4: byte 6'],
    ['an overlong character', [0xc0, 0xaf], 'line 2, column 4: byte 6'],
    ['half a surrogate pair', [0xed, 0xa0, 0x80], 'line 2, column 4: byte 6'],
    ['a character that ends too early', [0xe2, 0x82, 0x22], 'line 2, column 4: byte 6'],
    ['after a character of four bytes', [0xf0, 0x9f, 0x92, 0xbe, 0xff], 'line 2, column 6: byte 10'],
  ])('that are not UTF-8 are refused with their position: %s', (_, bytes, where) => {
    for (const rest of ['" }', '']) {
      const file = Buffer.from([...Buffer.from('{\n"a"'), ...bytes, ...Buffer.from(rest)]);
      expect(() => decodeText(file)).toThrow(
        new SyntaxError(`${where} is not UTF-8; save the text as UTF-8`),
      );
    }
  });

  test.each<[string, number[], number]>([
    ['an ELF program', [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0xff], 8],
    ['a PNG image', [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13], 9],
    ['a gzip archive', [0x1f, 0x8b, 8, 0, 0], 4],
    ['a font', [0, 1, 0, 0, 0, 15], 1],
    ['little-endian numbers', [1, 0, 2, 0, 3, 0], 2],
    ['big-endian numbers', [0, 1, 0, 2], 1],
    ['UTF-32', [...Buffer.from('{\0\0\0}\0\0\0')], 2],
    ['a text with a zero byte', [...Buffer.from('{ "note": "\0" }')], 12],
  ])('that are not text are refused as such: %s', (_, bytes, place) => {
    expect(() => decodeText(Buffer.from(bytes))).toThrow(
      new SyntaxError(`this is not text: byte ${place} is zero`),
    );
  });

  test('that are UTF-8 are their text', () => {
    checkProperty(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
        fc.pre(!text.includes('\0') && !/\p{Cs}/u.test(text));
        expect(decodeText(Buffer.from(text))).toBe(text);
      }),
      300,
    );
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { patchProblem } from '../../simulator/edge-hub/limits.ts';
import { limitProblems, messageProblem } from '../../src/hub/limits.ts';
import type { Json } from '../../src/hub/merge-patch.ts';
import { anyDocument, anyText, checkProperty } from '../support/properties.ts';

const nested = (levels: number): Json => (levels === 0 ? {} : { a: nested(levels - 1) });

/** A patch of this size as JSON, in which no single string is too long. */
function ofBytes(bytes: number): Json {
  const fill = (padding: number) => ({ a: Array(8).fill('x'.repeat(4000)), b: 'y'.repeat(padding) });
  return fill(bytes - JSON.stringify(fill(0)).length);
}

describe('a patch of reported properties', () => {
  test.each<[string, Json]>([
    ['nothing', {}],
    ['null, which removes', { a: null, b: { c: null } }],
    ['the greatest integer', { a: 2 ** 52 - 1 }],
    ['the smallest integer', { a: -(2 ** 52) }],
    ['a fraction', { a: -0.1 }],
    ['a string of 4096 bytes', { a: 'ä'.repeat(2048) }],
    ['a key of 1024 bytes', { ['ä'.repeat(512)]: 1 }],
    ['10 levels of objects', nested(10)],
    ['arrays of objects', { a: [{ b: 1 }, 'c', [true]] }],
    ['32768 bytes', ofBytes(32_768)],
  ])('with %s is within the limits', (_what, patch) => {
    expect(limitProblems(patch)).toEqual([]);
  });

  test.each<[string, Json, string]>([
    ['an integer above 2^52 - 1', { a: 2 ** 52 }, 'a is 4503599627370496, out of range'],
    ['an integer below -2^52', { a: -(2 ** 52) - 1 }, 'a is -4503599627370497, out of range'],
    ['an integer in an array', { a: [2 ** 52] }, 'a/0 is 4503599627370496, out of range'],
    ['infinity', { a: Number.POSITIVE_INFINITY }, 'a is Infinity, out of range'],
    ['NaN', { a: Number.NaN }, 'a is NaN, out of range'],
    ['a string of 4097 bytes', { a: { b: 'x'.repeat(4097) } }, 'a/b has 4097 bytes, the limit is 4096'],
    ['a string in an array', { a: ['x'.repeat(4097)] }, 'a/0 has 4097 bytes, the limit is 4096'],
    ['11 levels of objects', nested(11), 'a/a/a/a/a/a/a/a/a/a/a is nested deeper than 10 levels'],
    ['a null in an array', { a: [null] }, 'a/0 is null inside an array'],
    ['a null in an object in an array', { a: [{ b: null }] }, 'a/0/b is null inside an array'],
    ['an empty key', { '': 1 }, 'the key "" is not allowed'],
    ['an empty key further down', { a: { '': 1 } }, 'the key "a/" is not allowed'],
    ['32769 bytes', ofBytes(32_769), 'the patch has 32769 bytes, the limit is 32768'],
  ])('with %s exceeds a limit, and the problem is described', (_what, patch, problem) => {
    expect(limitProblems(patch)).toEqual([problem]);
  });

  test('with a key of 1025 bytes exceeds a limit', () => {
    expect(limitProblems({ [`${'ä'.repeat(512)}x`]: 1 })).toHaveLength(1);
  });

  test.each(['.', '$', '#', ' ', '\t', '\n', '\u0000', '\u007f', '\u0085', '\u00a0', '\u2028'])(
    'with %j in a key is not allowed',
    (character) => {
      const key = `a${character}b`;
      expect(limitProblems({ [key]: 1 })).toEqual([`the key ${JSON.stringify(key)} is not allowed`]);
      expect(limitProblems({ a: [{ [key]: 1 }] })).toHaveLength(1);
    },
  );

  test('with several problems has all of them described', () => {
    expect(limitProblems({ 'a.b': 2 ** 60, c: [null, 'x'.repeat(5000)] })).toHaveLength(4);
  });
});

test('every patch within the limits is accepted by the simulator', { timeout: 60_000 }, () => {
  const leaf = fc.oneof(
    anyText,
    fc.double(),
    fc.maxSafeInteger(),
    fc.constantFrom(null, true, 2 ** 52 - 1, 2 ** 52, -(2 ** 52), 1e20, 1e21),
    fc.nat(14).map(nested),
  );
  let accepted = 0;
  checkProperty(
    fc.property(anyDocument(leaf), (document) => {
      const patch = JSON.parse(JSON.stringify(document));
      if (limitProblems(patch).length > 0) return;
      accepted += 1;
      expect(patchProblem(patch)).toBeUndefined();
    }),
    5000,
  );
  expect(accepted).toBeGreaterThan(500);
});

describe('a message', () => {
  const message = (body: unknown, target: string) => ({ output: 'alerts', body, properties: { target } });

  test.each([
    ['the text of an alert', message({ message: 'x'.repeat(1000) }, 'tcp://gateway:1')],
    ['20000 bytes', message('x'.repeat(20_000 - JSON.stringify(message('', '')).length), '')],
  ])('with %s is within the limits', (_what, given) => {
    expect(messageProblem(given)).toBeUndefined();
  });

  test.each([
    [
      'body',
      message('x'.repeat(20_000), ''),
      /^the message for alerts has 200\d\d bytes, the limit is 20000/,
    ],
    [
      'property',
      message('', 'ä'.repeat(10_000)),
      /^the message for alerts has 200\d\d bytes, the limit is 20000/,
    ],
  ])('with a %s that is too long exceeds the limit', (_what, given, problem) => {
    expect(messageProblem(given)).toMatch(problem);
  });
});

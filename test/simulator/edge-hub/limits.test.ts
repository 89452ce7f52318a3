import { describe, expect, test } from 'vitest';
import { hubSize, patchProblem, totalProblem } from '../../../simulator/edge-hub/limits.ts';
import type { JsonObject } from '../../../simulator/json.ts';

const nested = (levels: number): JsonObject => (levels === 0 ? {} : { a: nested(levels - 1) });
const arrays = (levels: number): JsonObject => ({
  a: JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`),
});

/** A patch of this size as JSON, without a string that exceeds the limit of a string. */
const ofBytes = (bytes: number): JsonObject => {
  const fill = (padding: number) => ({
    a: Array.from({ length: 8 }, () => 'x'.repeat(4000)),
    b: 'y'.repeat(padding),
  });
  return fill(bytes - JSON.stringify(fill(0)).length);
};

describe('a patch', () => {
  test.each<[string, JsonObject]>([
    ['no properties', {}],
    ['null, which deletes', { a: null, b: { c: null } }],
    ['the largest integer', { a: 2 ** 52 - 1 }],
    ['the smallest integer', { a: -(2 ** 52) }],
    ['a fraction', { a: 0.1 }],
    ['a number too large for integer notation', { a: 1e21 }],
    ['a string of 4096 bytes', { a: 'ä'.repeat(2048) }],
    ['a key of 1024 bytes', { ['ä'.repeat(512)]: 1 }],
    ['10 levels of objects', nested(10)],
    ['10 levels of arrays', arrays(10)],
    ['an array of objects', { a: [{ b: 1 }, 'c', [true]] }],
    ['32 KB', ofBytes(32 * 1024)],
  ])('with %s is accepted', (_what, patch) => {
    expect(patchProblem(patch)).toBeUndefined();
  });

  test.each<[string, JsonObject, string]>([
    ['an integer above 2^52 - 1', { a: 2 ** 52 }, 'must be from'],
    ['an integer below -2^52', { a: -(2 ** 52) - 1 }, 'must be from'],
    ['an integer beyond the precision of JavaScript', { a: 1e20 }, 'must be from'],
    ['a string of 4097 bytes', { a: `${'ä'.repeat(2048)}x` }, '4097 bytes'],
    ['a key of 1025 bytes', { [`${'ä'.repeat(512)}x`]: 1 }, '1025 bytes'],
    ['a dot in a key', { 'a.b': 1 }, '"a.b"'],
    ['a dollar in a key', { $version: 1 }, '"$version"'],
    ['a hash in a key', { a: { 'b#': 1 } }, '"b#"'],
    ['a space in a key', { 'a b': 1 }, '"a b"'],
    ['a control character in a key', { 'a\u0007': 1 }, 'control'],
    ['a bad key inside an array', { a: [{ 'b.c': 1 }] }, '"b.c"'],
    ['11 levels of objects', nested(11), '10 levels'],
    ['11 levels of arrays', arrays(11), '10 levels'],
    ['null in an array', { a: [null] }, 'null'],
    ['null in an object in an array', { a: [{ b: null }] }, 'null'],
    ['one byte more than 32 KB', ofBytes(32 * 1024 + 1), '32769 bytes, more than the maximum of 32768'],
  ])('with %s is rejected', (_what, patch, why) => {
    expect(patchProblem(patch)).toContain(why);
  });
});

describe('the merged properties', () => {
  test('are measured as IoT Hub measures them', () => {
    expect(hubSize({ ab: 1, c: true, d: 'ä\n', e: { f: ['x', 2] }, g: null })).toBe(
      2 + 8 + 1 + 4 + 1 + 2 + 1 + 1 + 9 + 1,
    );
  });

  test('can have up to 32 KB', () => {
    const fill = (bytes: number) => ({
      a: Array.from({ length: 8 }, () => 'x'.repeat(4095)),
      b: 'y'.repeat(bytes),
    });
    expect(totalProblem(fill(6))).toBeUndefined();
    expect(totalProblem(fill(7))).toContain('32769 bytes');
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { difference, firstVersion, mergePatch, patched } from '../../../simulator/edge-hub/twin.ts';
import type { Json, JsonObject } from '../../../simulator/json.ts';
import { checkProperty } from '../../support/properties.ts';

describe('a merge patch', () => {
  // RFC 7396, appendix A.
  test.each<[Json, Json, Json]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('of %j with %j is %j', (target, patch, result) => {
    expect(mergePatch(target, patch)).toEqual(result);
  });

  test('treats __proto__ as an ordinary key', () => {
    const merged = mergePatch({}, JSON.parse('{ "__proto__": { "polluted": true } }'));
    expect(JSON.stringify(merged)).toBe('{"__proto__":{"polluted":true}}');
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
  });
});

describe('the difference', () => {
  const levels = fc.letrec<{ object: JsonObject; value: Json }>((tie) => ({
    object: fc.dictionary(fc.constantFrom('a', 'b', '__proto__'), tie('value'), { noNullPrototype: true }),
    value: fc.oneof({ maxDepth: 3 }, fc.integer({ max: 2, min: 0 }), fc.constant([1]), tie('object')),
  }));

  test('is the merge patch from one object to another', () => {
    checkProperty(
      fc.property(levels.object, levels.object, (from, to) => {
        expect(mergePatch(from, difference(from, to))).toEqual(to);
      }),
      100,
    );
  });

  test('contains only what changed', () => {
    expect(difference({ a: 1, b: { c: 1, d: 1 }, e: [1] }, { a: 1, b: { c: 2, f: {} } })).toEqual({
      e: null,
      b: { d: null, c: 2, f: {} },
    });
  });
});

describe('properties', () => {
  test('start at version 1 without null values', () => {
    expect(firstVersion({ a: null, b: 1 })).toEqual({ version: 1, values: { b: 1 } });
  });

  test('get a new version from a patch without changes', () => {
    expect(patched(firstVersion({ b: 1 }), { b: 1 })).toEqual({ version: 2, values: { b: 1 } });
  });
});

import { describe, expect, test } from 'vitest';
import { firstVersion, mergePatch, patched } from '../../../simulator/edge-hub/twin.ts';
import type { Json } from '../../../simulator/json.ts';

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

describe('properties', () => {
  test('start at version 1 without null values', () => {
    expect(firstVersion({ a: null, b: 1 })).toEqual({ version: 1, values: { b: 1 } });
  });

  test('get a new version from a patch without changes', () => {
    expect(patched(firstVersion({ b: 1 }), { b: 1 })).toEqual({ version: 2, values: { b: 1 } });
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { firstVersion, mergePatch } from '../../simulator/edge-hub/twin.ts';
import type { JsonObject } from '../../simulator/json.ts';
import { applyPatch, difference, type Json } from '../../src/hub/merge-patch.ts';
import { anyDocument, checkProperty } from '../support/properties.ts';

describe('applyPatch', () => {
  // RFC 7396, appendix A, all of it.
  test.each([
    ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
    ['{"a":"b"}', '{"a":null}', '{}'],
    ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
    ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
    ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
    ['["a","b"]', '["c","d"]', '["c","d"]'],
    ['{"a":"b"}', '["c"]', '["c"]'],
    ['{"a":"foo"}', 'null', 'null'],
    ['{"a":"foo"}', '"bar"', '"bar"'],
    ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
    ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
    ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
  ])('%s with %s becomes %s', (document, patch, result) => {
    expect(applyPatch(JSON.parse(document), JSON.parse(patch))).toEqual(JSON.parse(result));
  });

  test('does not modify the document', () => {
    const document = { a: { b: 1 } };
    applyPatch(document, { a: { b: 2, c: 3 }, d: 4 });
    expect(document).toEqual({ a: { b: 1 } });
  });

  test('treats __proto__ as an ordinary key', () => {
    const patched = applyPatch({}, JSON.parse('{"__proto__":{"a":1}}'));
    expect(JSON.stringify(patched)).toBe('{"__proto__":{"a":1}}');
    expect(patched).not.toHaveProperty('a');
  });

  test('nested so deeply that recursion would exhaust the stack is taken over as it is', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(4000)}null${'}'.repeat(4000)}`);
    const patched = JSON.stringify(applyPatch({ b: 1 }, deep));
    expect(patched.length).toBe(JSON.stringify({ b: 1, ...deep }).length);
  });
});

describe('difference', () => {
  test.each([
    ['nothing when nothing has changed', '{"a":{"b":[1]}}', '{"a":{"b":[1]}}', undefined],
    ['only the changed leaf', '{"a":{"b":1,"c":2}}', '{"a":{"b":1,"c":3}}', '{"a":{"c":3}}'],
    ['null for a removed key', '{"a":{"b":1,"c":2}}', '{"a":{"c":2}}', '{"a":{"b":null}}'],
    ['arrays whole', '{"a":[1,2,3]}', '{"a":[1,2]}', '{"a":[1,2]}'],
    ['an added empty object', '{}', '{"a":{}}', '{"a":{}}'],
    ['an object that replaces a number', '{"a":1}', '{"a":{"b":2}}', '{"a":{"b":2}}'],
    ['a number that replaces an object', '{"a":{"b":2}}', '{"a":1}', '{"a":1}'],
    ['nothing for a different order of keys', '{"a":[{"b":1,"c":2}]}', '{"a":[{"c":2,"b":1}]}', undefined],
    ['nothing for a null, which a patch cannot set', '{}', '{"a":null,"b":null}', undefined],
    ['a new object without its nulls', '{}', '{"a":{"b":null,"c":1}}', '{"a":{"c":1}}'],
    [
      'keys that every object inherits',
      '{"toString":1}',
      '{"constructor":2}',
      '{"toString":null,"constructor":2}',
    ],
  ])('contains %s', (_what, from, to, patch) => {
    expect(difference(JSON.parse(from), JSON.parse(to))).toEqual(patch && JSON.parse(patch));
  });

  test('applied to the first of any two documents results in the second', { timeout: 60_000 }, () => {
    const leaf = fc.constantFrom(0, 1, -1.5, '', 'x', true, false, null);
    const pair = fc.oneof(
      fc.tuple(anyDocument(leaf), anyDocument(leaf)),
      // Similar documents, as two successive reports are.
      fc
        .tuple(anyDocument(leaf), anyDocument(leaf))
        .map(([one, patch]): [Json, Json] => [
          one,
          Object.fromEntries([...Object.entries(one), ...Object.entries(patch)]),
        ]),
    );
    checkProperty(
      fc.property(pair, ([one, other]) => {
        // As a twin stores them: without nulls, except inside arrays.
        const [from, to] = [firstVersion(one as JsonObject).values, firstVersion(other as JsonObject).values];
        const patch = difference(from, other);
        expect(applyPatch(from, patch ?? {})).toEqual(to);
        expect(mergePatch(from, (patch ?? {}) as JsonObject)).toEqual(to);
        expect(difference(to, other)).toBeUndefined();
      }),
      5000,
    );
  });
});

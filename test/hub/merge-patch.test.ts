import { describe, expect, test } from 'vitest';
import { applyPatch, difference, isObject, type Json } from '../../src/hub/merge-patch.ts';

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

  test('leaves the document it is given as it is', () => {
    const document = { a: { b: 1 } };
    applyPatch(document, { a: { b: 2, c: 3 }, d: 4 });
    expect(document).toEqual({ a: { b: 1 } });
  });

  test('takes __proto__ for a key like any other', () => {
    const patched = applyPatch({}, JSON.parse('{"__proto__":{"a":1}}'));
    expect(JSON.stringify(patched)).toBe('{"__proto__":{"a":1}}');
    expect(patched).not.toHaveProperty('a');
  });
});

describe('difference', () => {
  test.each([
    ['nothing where nothing has changed', '{"a":{"b":[1]}}', '{"a":{"b":[1]}}', undefined],
    ['only the leaf that has changed', '{"a":{"b":1,"c":2}}', '{"a":{"b":1,"c":3}}', '{"a":{"c":3}}'],
    ['null for what is gone', '{"a":{"b":1,"c":2}}', '{"a":{"c":2}}', '{"a":{"b":null}}'],
    ['arrays whole', '{"a":[1,2,3]}', '{"a":[1,2]}', '{"a":[1,2]}'],
    ['an empty object that has come', '{}', '{"a":{}}', '{"a":{}}'],
    ['an object in the place of a number', '{"a":1}', '{"a":{"b":2}}', '{"a":{"b":2}}'],
    ['a number in the place of an object', '{"a":{"b":2}}', '{"a":1}', '{"a":1}'],
    ['nothing for another order of keys', '{"a":[{"b":1,"c":2}]}', '{"a":[{"c":2,"b":1}]}', undefined],
    ['nothing for a null, which cannot be set', '{}', '{"a":null,"b":null}', undefined],
    ['a new object without its nulls', '{}', '{"a":{"b":null,"c":1}}', '{"a":{"c":1}}'],
    [
      'keys that every object inherits',
      '{"toString":1}',
      '{"constructor":2}',
      '{"toString":null,"constructor":2}',
    ],
  ])('holds %s', (_what, from, to, patch) => {
    expect(difference(JSON.parse(from), JSON.parse(to))).toEqual(patch && JSON.parse(patch));
  });

  test('applied to the one document gives the other, whatever they are', () => {
    const random = generator(20_261_121);
    for (let round = 0; round < 3000; round += 1) {
      const from = randomObject(random, 3);
      // Often a near relation, as one report is of the next.
      const to = random() < 0.5 ? randomObject(random, 3) : mutated(from, random);
      const patch = difference(from, to);
      if (patch === undefined) expect(from).toEqual(to);
      else expect(applyPatch(from, patch)).toEqual(to);
    }
  });
});

/** Mulberry32: the same numbers each time. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const keys = ['a', 'b', 'c', 'toString', '__proto__', 'ä'];

const pick = <T>(random: () => number, from: readonly T[]): T | undefined =>
  from[Math.floor(random() * from.length)];

function randomObject(random: () => number, depth: number): Json {
  const some = keys.filter(() => random() < 0.5);
  return Object.fromEntries(some.map((key) => [key, randomValue(random, depth)]));
}

function randomValue(random: () => number, depth: number): unknown {
  if (depth > 0 && random() < 0.4) return randomObject(random, depth - 1);
  if (depth > 0 && random() < 0.3) {
    return Array.from({ length: Math.floor(random() * 3) }, () => randomValue(random, depth - 1));
  }
  return pick(random, [0, 1, -1.5, '', 'x', true, false]);
}

/** The same with one key at one depth put, changed or taken away. */
function mutated(document: Json, random: () => number): Json {
  const key = pick(random, keys) ?? 'a';
  const entries = new Map(Object.entries(document));
  const inner = entries.get(key);
  if (isObject(inner) && random() < 0.7) entries.set(key, mutated(inner, random));
  else if (random() < 0.4) entries.delete(key);
  else entries.set(key, randomValue(random, 2));
  return Object.fromEntries(entries);
}

import { expect, test } from 'vitest';
import { nearest } from '../src/nearest.ts';

const keys = ['clockDrift', 'certificateExpiry', 'diskSpace', 'outboundReachability'];

test.each([
  ['clokDrift', 'clockDrift'],
  ['clockdrift', 'clockDrift'],
  ['clockDirft', 'clockDrift'],
  ['certificatesExpiry', 'certificateExpiry'],
  ['DISKSPACE', 'diskSpace'],
  ['disk', 'diskSpace'],
  ['reachability', 'outboundReachability'],
  ['EXPIRY', 'certificateExpiry'],
  ['certificate', 'certificateExpiry'],
  ['dis', 'diskSpace'],
  ['di', undefined],
  ['disx', undefined],
  ['tpm', undefined],
  ['somethingElseAltogether', undefined],
  ['', undefined],
])('for %j, %s was meant', (word, meant) => {
  expect(nearest(word, keys)).toBe(meant);
});

test.each([
  ['half of a word may be wrong', 'abcdef', 'abcxyz', 'abcxyz'],
  ['more than half may not', 'abcdef', 'abwxyz', undefined],
  ['two letters of a short word may be wrong', 'abc', 'axy', 'axy'],
  ['three may not', 'abc', 'xyz', undefined],
  ['words of 64 letters are compared', 'a'.repeat(64), `${'a'.repeat(63)}b`, `${'a'.repeat(63)}b`],
  ['a longer one is not', 'a'.repeat(65), `${'a'.repeat(63)}b`, undefined],
  ['nor is one against a longer one', 'a'.repeat(63), 'a'.repeat(65), undefined],
])('%s', (_what, word, known, meant) => {
  expect(nearest(word, [known])).toBe(meant);
});

test('among words that contain a part the nearest is meant, and a misspelt word goes before them', () => {
  expect(nearest('outbound', ['outboundReachability', 'outboundContainment'])).toBe('outboundContainment');
  expect(nearest('warn', ['warnSeconds', 'wern'])).toBe('wern');
});

test('among equally near words the first is meant', () => {
  expect(nearest('warn', ['warm', 'ward'])).toBe('warm');
});

test('nothing is near where there is nothing', () => {
  expect(nearest('word', [])).toBeUndefined();
});

test('a word of a million letters is near to nothing, and costs nothing', () => {
  expect(nearest('a'.repeat(1_000_000), keys)).toBeUndefined();
});

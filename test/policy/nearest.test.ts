import { expect, test } from 'vitest';
import { nearest } from '../../src/policy/nearest.ts';

const keys = ['clockDrift', 'certificateExpiry', 'diskSpace', 'outboundReachability'];

test.each([
  ['clokDrift', 'clockDrift'],
  ['clockdrift', 'clockDrift'],
  ['clockDirft', 'clockDrift'],
  ['certificatesExpiry', 'certificateExpiry'],
  ['DISKSPACE', 'diskSpace'],
  ['tpm', undefined],
  ['somethingElseAltogether', undefined],
  ['', undefined],
])('for %j, %s was meant', (word, meant) => {
  expect(nearest(word, keys)).toBe(meant);
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

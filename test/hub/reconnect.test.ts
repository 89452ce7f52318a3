import { expect, test } from 'vitest';
import { backoffSeconds } from '../../src/hub/reconnect.ts';

test.each([
  [0, 1],
  [1, 2],
  [2, 4],
  [4, 16],
  [5, 30],
  [1_000_000, 30],
])('after %i failures the wait is between 0 and %d s', (failures, longest) => {
  expect(backoffSeconds(failures, () => 0)).toBe(0);
  expect(backoffSeconds(failures, () => 0.5)).toBe(longest / 2);
  expect(backoffSeconds(failures, () => 1)).toBe(longest);
});

import { expect, test } from 'vitest';
import { backoffSeconds } from '../../src/hub/backoff.ts';

test.each([
  [0, 0.5, 1],
  [1, 1, 2],
  [2, 2, 4],
  [5, 16, 32],
  [6, 30, 60],
  [1_000_000, 30, 60],
])('after %i failures the wait is spread from %d s to %d s', (failures, shortest, longest) => {
  expect(backoffSeconds(failures, () => 0)).toBe(shortest);
  expect(backoffSeconds(failures, () => 1)).toBe(longest);
});

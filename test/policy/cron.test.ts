import { expect, test } from 'vitest';
import { cronProblem } from '../../src/policy/cron.ts';

test.each([
  '*/5 * * * *',
  '30 */5 * * * *',
  '@hourly',
  '0-10/2,30-40 * * * *',
  '*/60 */24 */31 */12 */7',
  '5-5 * * * *',
  '0 0 * * 6-7',
  '0 0 * * sat-sun',
  '0 0 L * *',
  ' 0  4 * * * ',
])('%s is taken', (expression) => {
  expect(cronProblem(expression)).toBeUndefined();
});

test.each([
  ['5-1 * * * *', '5-1 runs backwards for minute'],
  ['0 5-1 * * * *', '5-1 runs backwards for minute'],
  ['59-0 * * * * *', '59-0 runs backwards for second'],
  ['0 1,22-2 * * *', '22-2 runs backwards for hour'],
  ['0 0 * * 5-1', '5-1 runs backwards for week day'],
  ['30-10/5 * * * *', '30-10/5 runs backwards for minute'],
  ['*/61 * * * *', '*/61 steps further than the 60 values for minute'],
  ['0 0-10/25 * * *', '0-10/25 steps further than the 24 values for hour'],
  ['0 0 * */13 *', '*/13 steps further than the 12 values for month'],
  ['*/0 * * * *', '*/0 is a invalid expression for minute'],
])('%s is refused', (expression, problem) => {
  expect(cronProblem(expression)).toBe(problem);
});

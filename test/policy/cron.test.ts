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
])('%s is accepted', (expression) => {
  expect(cronProblem(expression)).toBeUndefined();
});

test.each([
  ['5-1 * * * *', 'the range 5-1 for minute runs backwards'],
  ['0 5-1 * * * *', 'the range 5-1 for minute runs backwards'],
  ['59-0 * * * * *', 'the range 59-0 for second runs backwards'],
  ['0 1,22-2 * * *', 'the range 22-2 for hour runs backwards'],
  ['0 0 * * 5-1', 'the range 5-1 for day of week runs backwards'],
  ['30-10/5 * * * *', 'the range 30-10/5 for minute runs backwards'],
  ['*/61 * * * *', 'the step of */61 is longer than the 60 values of minute'],
  ['0 0-10/25 * * *', 'the step of 0-10/25 is longer than the 24 values of hour'],
  ['0 0 */32 * *', 'the step of */32 is longer than the 31 values of day of month'],
  ['0 0 * * */8', 'the step of */8 is longer than the 7 values of day of week'],
  ['*/61 * * * * *', 'the step of */61 is longer than the 60 values of second'],
  ['0 0 * */13 *', 'the step of */13 is longer than the 12 values of month'],
  ['*/0 * * * *', '"*/0" is not valid for minute'],
  ['0 0 * * mo', '"mo" is not valid for day of week'],
  ['daily', 'it needs 5 or 6 fields, got 1'],
  ['', 'it needs 5 or 6 fields, got 0'],
  ['* * * * * * *', 'it needs 5 or 6 fields, got 7'],
  ['$ * * * *', 'it contains illegal characters'],
])('%s is refused', (expression, problem) => {
  expect(cronProblem(expression)).toBe(problem);
});

import { expect, test } from 'vitest';
import { cronProblem, shortestGapSeconds } from '../../src/policy/cron.ts';

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
  ['0-9999999 * * * *', '"0-9999999" is not valid for minute'],
  ['* 0-4294967296/7 * * *', '"0-4294967296/7" is not valid for hour'],
  ['0-1000000000 * * * * *', '"0-1000000000" is not valid for second'],
  ['* * * * 0-0000007', '"0-0000007" is not valid for day of week'],
  ['1 2 3 4 5 6 777', '"777" is not valid for day of week'],
  [`0-59${',0-59'.repeat(200)} * * * *`, 'it is longer than 512 characters'],
  ['0 0 30W 2 *', 'it never matches'],
  ['0 0 1 1 5#5', 'it never matches'],
])('%s is refused', (expression, problem) => {
  expect(cronProblem(expression)).toBe(problem);
});

test.each([
  ['* * * * *', 60],
  ['@hourly', 60],
  ['5 * * * * *', 60],
  ['* * * * * *', 1],
  ['*/30 * * * * *', 30],
  ['*/45 * * * * *', 15],
  ['0,20,59 * * * * *', 1],
  ['10-40/10,25 0 4 * * *', 5],
  [' 30,0  0 4 * * *', 30],
])('%s matches %d s apart at the closest', (expression, seconds) => {
  expect(cronProblem(expression)).toBeUndefined();
  expect(shortestGapSeconds(expression)).toBe(seconds);
});

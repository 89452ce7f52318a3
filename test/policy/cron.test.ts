import fc from 'fast-check';
import nodeCron from 'node-cron';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { cronProblem, nextMatch, parseCron, shortestGapSeconds } from '../../src/policy/cron.ts';
import { checkProperty } from '../support/properties.ts';

const nicknames = '@yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly';

test.each([
  '*/5 * * * *',
  '30 */5 * * * *',
  '@hourly',
  '0-10/2,30-40 * * * *',
  '*/60 */24 */31 */12 */7',
  '5-5 * * * *',
  '0 0 * * 6-7',
  '0 0 * * sat-sun',
  '0 0 * * fri-sun',
  '0 0 * * Mon,WEDNESDAY',
  '0 0 1 jan-Mar,august *',
  '0 0 * * 7',
  '0 0 29 2 *',
  '0 0 31 2,3 *',
  '@Daily',
  ' @weekly ',
  ' 0  4 * * * ',
  '0\t4 * * *',
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
  ['$ * * * *', '"$" is not valid for minute'],
  ['0 0\u00a0* * *', 'it needs 5 or 6 fields, got 4'],
  ['0 0 * *\n*', 'it needs 5 or 6 fields, got 4'],
  ['60 * * * * *', '"60" is not valid for second'],
  ['0 60 * * * *', '"60" is not valid for minute'],
  ['0 24 * * *', '"24" is not valid for hour'],
  ['0 0 0 * *', '"0" is not valid for day of month'],
  ['0 0 32 * *', '"32" is not valid for day of month'],
  ['0 0 * 13 *', '"13" is not valid for month'],
  ['0 0 * mon *', '"mon" is not valid for month'],
  ['0 0 * * 8', '"8" is not valid for day of week'],
  ['0 0 * * fri-mon', 'the range fri-mon for day of week runs backwards'],
  ['0 0 * * 5-0', 'the range 5-0 for day of week runs backwards'],
  ['-5 * * * *', '"-5" is not valid for minute'],
  ['1-2-3 * * * *', '"1-2-3" is not valid for minute'],
  ['1,,2 * * * *', 'the list 1,,2 for minute has an empty entry'],
  ['1, * * * *', 'the list 1, for minute has an empty entry'],
  ['0 ,1 * * *', 'the list ,1 for hour has an empty entry'],
  ['0 0 * * ,', 'the list , for day of week has an empty entry'],
  ['0 99,,1 * * *', 'the list 99,,1 for hour has an empty entry'],
  ['*/2/3 * * * *', '"*/2/3" is not valid for minute'],
  ['5/10 * * * *', '"5/10" is not valid for minute: a step follows * or a range such as 0-59'],
  ['@foo', `the nickname is unknown (known: ${nicknames})`],
  ['@reboot', `the nickname is unknown (known: ${nicknames})`],
  ['@daily *', `the nickname is unknown (known: ${nicknames})`],
  ['* @daily * * *', '"@daily" is not valid for hour'],
  ['0 0 L * *', '"L" is not valid for day of month: L, W, # and ? are not supported'],
  ['0 0 LW * *', '"LW" is not valid for day of month: L, W, # and ? are not supported'],
  ['0 0 15W * *', '"15W" is not valid for day of month: L, W, # and ? are not supported'],
  ['0 0 ? * 1', '"?" is not valid for day of month: L, W, # and ? are not supported'],
  ['0 0 * * 5L', '"5L" is not valid for day of week: L, W, # and ? are not supported'],
  ['0 0 * * 1#2', '"1#2" is not valid for day of week: L, W, # and ? are not supported'],
  ['0-9999999 * * * *', '"0-9999999" is not valid for minute'],
  ['* 0-4294967296/7 * * *', '"0-4294967296/7" is not valid for hour'],
  ['0-1000000000 * * * * *', '"0-1000000000" is not valid for second'],
  ['* * * * 0-0000007', '"0-0000007" is not valid for day of week'],
  ['1 2 3 4 5 6 777', 'it needs 5 or 6 fields, got 7'],
  [`0-59${',0-59'.repeat(200)} * * * *`, 'it is longer than 512 characters'],
  ['0 0 30W 2 *', '"30W" is not valid for day of month: L, W, # and ? are not supported'],
  ['0 0 1 1 5#5', '"5#5" is not valid for day of week: L, W, # and ? are not supported'],
  ['0 0 31 2 *', 'day 31 of month 2 never occurs'],
  ['30 0 0 30,31 feb *', 'day 30,31 of month feb never occurs'],
  ['0 0 31 4,6,9,11 1', 'day 31 of month 4,6,9,11 never occurs'],
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

describe('the next match', () => {
  test.each([
    ['* * * * *', '2026-11-24T16:00:00.000Z', '2026-11-24T16:01:00Z'],
    ['* * * * *', '2026-11-24T15:59:59.999Z', '2026-11-24T16:00:00Z'],
    ['* * * * * *', '2026-11-24T16:00:00.001Z', '2026-11-24T16:00:01Z'],
    ['59 59 23 31 12 *', '2026-12-31T23:59:59Z', '2027-12-31T23:59:59Z'],
    ['0 0 29 2 *', '2096-02-29T00:00:00Z', '2104-02-29T00:00:00Z'],
    ['0 0 29 2 mon', '2072-02-29T00:00:00Z', '2112-02-29T00:00:00Z'],
    ['0 0 13 * fri', '2026-11-24T00:00:00Z', '2027-08-13T00:00:00Z'],
    ['@weekly', '2026-11-24T00:00:00Z', '2026-11-29T00:00:00Z'],
    ['30 4 * * *', '1969-12-31T12:00:00Z', '1970-01-01T04:30:00Z'],
  ])('of %s after %s is %s', (expression, after, expected) => {
    expect(nextMatch(parseCron(expression), Date.parse(after))).toBe(Date.parse(expected));
  });

  test('at the end of time there is none', () => {
    expect(nextMatch(parseCron('0 0 1 * *'), 8.64e15)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('compared with node-cron', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** The next matches by node-cron; undefined for an expression that it rejects. */
  function reference(expression: string, afterMs: number): readonly number[] | undefined {
    if (!nodeCron.validate(expression)) return undefined;
    vi.setSystemTime(afterMs);
    const task = nodeCron.createTask(expression, () => {}, { timezone: 'UTC' });
    try {
      return task.getNextRuns(3).map((date) => date.getTime());
    } finally {
      void task.destroy();
    }
  }

  function matches(expression: string, afterMs: number): readonly number[] {
    const cron = parseCron(expression);
    const first = nextMatch(cron, afterMs);
    const next = nextMatch(cron, first);
    return [first, next, nextMatch(cron, next)];
  }

  // From 1970 to 2150, leap years and the years without 29 February included.
  const moment = fc.integer({ min: 0, max: 5_680_000_000_000 });

  const fieldOf = (min: number, max: number, names: readonly string[] = []) => {
    const value = fc.integer({ min, max });
    const range = fc.tuple(value, value).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
    const step = fc.integer({ min: 1, max: max - min + 1 });
    const part = fc.oneof(
      value.map(String),
      range,
      fc.tuple(fc.oneof(fc.constant('*'), range), step).map(([whole, every]) => `${whole}/${every}`),
      ...(names.length > 0 ? [fc.constantFrom(...names)] : []),
    );
    return fc.oneof(
      { weight: 2, arbitrary: fc.constant('*') },
      { weight: 3, arbitrary: fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join()) },
    );
  };
  const months = ['jan', 'February', 'MAR', 'jun-aug', 'may'];
  const weekdays = ['sun', 'Monday', 'fri-sun', 'TUE-thu', '7'];
  const fields = fc
    .tuple(
      fc.oneof(fc.constant(''), fieldOf(0, 59)),
      fieldOf(0, 59),
      fieldOf(0, 23),
      fieldOf(1, 31),
      fieldOf(1, 12, months),
      fieldOf(0, 6, weekdays),
    )
    .map((parts) => parts.join(' ').trim());

  test('every expression of crontab(5) matches at the same moments', () => {
    checkProperty(
      fc.property(fields, moment, (expression, afterMs) => {
        fc.pre(cronProblem(expression) === undefined);
        expect(matches(expression, afterMs)).toEqual(reference(expression, afterMs));
      }),
      300,
    );
  });

  test('a damaged expression that is accepted matches at the same moments', () => {
    const damage = fc.tuple(fc.nat(60), fc.nat(3), fc.stringMatching(/^[-0-9*/, @LW#?a-z]{0,3}$/));
    const damaged = fc.tuple(fields, damage).map(([expression, [at, length, put]]) => {
      const from = at % expression.length;
      return `${expression.slice(0, from)}${put}${expression.slice(from + length)}`;
    });
    checkProperty(
      fc.property(damaged, moment, (expression, afterMs) => {
        if (cronProblem(expression) !== undefined) return;
        expect(matches(expression, afterMs)).toEqual(reference(expression, afterMs));
      }),
      1000,
    );
  });
});

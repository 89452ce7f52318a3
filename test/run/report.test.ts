import { expect, test } from 'vitest';
import { type Status, statuses } from '../../src/check.ts';
import { summarise, worst, worstFirst } from '../../src/run/report.ts';

test.each<[Status[], Status]>([
  [['pass', 'fail', 'warn', 'unknown', 'skip'], 'fail'],
  [['pass', 'warn', 'unknown', 'skip'], 'warn'],
  [['pass', 'unknown', 'skip'], 'unknown'],
  [['skip', 'pass'], 'pass'],
  [['skip', 'skip'], 'skip'],
  [[], 'skip'],
])('the worst of %j is %s', (some, expected) => {
  expect(worst(some)).toBe(expected);
});

test('a summary counts checks, and its status is the worst', () => {
  const of = (status: Status) => ({ status });
  const checks = { a: of('pass'), b: of('warn'), c: of('pass'), d: of('unknown'), e: of('skip') };
  expect(summarise(checks)).toEqual({ status: 'warn', pass: 2, warn: 1, fail: 0, unknown: 1, skip: 1 });
});

test('before anything has run, nothing is claimed to pass', () => {
  expect(summarise({})).toEqual({ status: 'skip', pass: 0, warn: 0, fail: 0, unknown: 0, skip: 0 });
});

test('findings are sorted worst first, equals in their order, and the input is not changed', () => {
  const given = [...statuses, ...statuses].map((status, i) => ({ status, i }));
  const copy = structuredClone(given);
  expect(worstFirst(given).map(({ status, i }) => `${status} ${i}`)).toEqual([
    ...['fail 4', 'fail 9', 'warn 3', 'warn 8', 'unknown 2', 'unknown 7'],
    ...['pass 1', 'pass 6', 'skip 0', 'skip 5'],
  ]);
  expect(given).toEqual(copy);
});

import { expect, test } from 'vitest';
import { type Status, statuses } from '../../src/check.ts';
import { summarise, worst, worstFirst } from '../../src/run/report.ts';
import { findingWithStatus } from '../support/fixtures/sample-report.ts';

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

const check = (status: Status, ...others: readonly Status[]) => ({
  status,
  findings: [status, ...others].map((each) => findingWithStatus(each, each)),
});

test('a summary counts checks and problems, and its status is the worst', () => {
  const checks = {
    a: check('pass'),
    b: check('warn', 'pass', 'warn'),
    c: check('pass'),
    d: check('unknown'),
    e: check('skip'),
  };
  expect(summarise(checks)).toEqual({
    status: 'warn',
    pass: 2,
    warn: 1,
    fail: 0,
    unknown: 1,
    skip: 1,
    problems: 2,
    pending: [],
  });
});

test('problems are findings that warn or fail, not checks', () => {
  const checks = { a: check('fail', 'fail', 'warn', 'unknown'), b: check('warn') };
  expect(summarise(checks)).toMatchObject({ status: 'fail', problems: 4 });
});

test('a summary names the checks that have not run yet', () => {
  expect(summarise({ a: check('pass') }, ['b', 'c'])).toMatchObject({ pass: 1, pending: ['b', 'c'] });
});

test('before anything has run, nothing is claimed to pass', () => {
  expect(summarise({}, ['a'])).toMatchObject({ status: 'skip', pass: 0, problems: 0, pending: ['a'] });
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

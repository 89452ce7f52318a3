import { describe, expect, test } from 'vitest';
import type { Status } from '../../src/check.ts';
import { type Change, type ConfirmedFinding, confirm } from '../../src/run/confirm.ts';

const before = '2026-11-21T20:00:00.000Z';
const now = new Date('2026-11-21T20:30:00.000Z');

type Statuses = Readonly<Record<string, Status>>;

const findings = (statuses: Statuses) =>
  Object.entries(statuses).map(([target, status]) => ({ target, status, message: `${target} is ${status}` }));
const reported = (statuses: Statuses): ConfirmedFinding[] =>
  findings(statuses).map((each) => ({ ...each, since: before }));
const statusesOf = (some: readonly ConfirmedFinding[]) =>
  Object.fromEntries(some.map(({ target, status }) => [target, status]));
const changesOf = (some: readonly Change[]) =>
  some.map(({ target, previous, finding }) => [target, previous, finding?.status]);

const nowMs = 100_000;
const timing = (atOnce: boolean) => ({ now, nowMs, confirmAfterMs: atOnce ? 0 : 15_000 });
/** Targets that have waited for as long as they must. */
const due = (targets: readonly string[]) => new Map(targets.map((target) => [target, nowMs]));

interface Row {
  readonly was: Statuses;
  readonly pending?: readonly string[];
  readonly seen: Statuses;
  readonly atOnce?: boolean;
  readonly confirms: Statuses;
  readonly waits?: readonly string[];
  readonly changes?: readonly unknown[];
}

test.each<[string, Row]>([
  ['nothing changed', { was: { a: 'pass' }, seen: { a: 'pass' }, confirms: { a: 'pass' } }],
  ['a change waits', { was: { a: 'pass' }, seen: { a: 'fail' }, confirms: { a: 'pass' }, waits: ['a'] }],
  [
    'a change seen twice is confirmed',
    {
      was: { a: 'pass' },
      pending: ['a'],
      seen: { a: 'fail' },
      confirms: { a: 'fail' },
      changes: [['a', 'pass', 'fail']],
    },
  ],
  [
    'a change that changes again is confirmed as it is now',
    {
      was: { a: 'pass' },
      pending: ['a'],
      seen: { a: 'warn' },
      confirms: { a: 'warn' },
      changes: [['a', 'pass', 'warn']],
    },
  ],
  [
    'a flap is never confirmed',
    { was: { a: 'pass' }, pending: ['a'], seen: { a: 'pass' }, confirms: { a: 'pass' } },
  ],
  [
    'what gets better waits as well',
    { was: { a: 'fail' }, seen: { a: 'pass' }, confirms: { a: 'fail' }, waits: ['a'] },
  ],
  [
    'something new waits',
    { was: { a: 'pass' }, seen: { a: 'pass', b: 'fail' }, confirms: { a: 'pass' }, waits: ['b'] },
  ],
  [
    'something new seen twice is confirmed',
    {
      was: { a: 'pass' },
      pending: ['b'],
      seen: { a: 'pass', b: 'fail' },
      confirms: { a: 'pass', b: 'fail' },
      changes: [['b', undefined, 'fail']],
    },
  ],
  [
    'something gone waits',
    { was: { a: 'pass', b: 'fail' }, seen: { a: 'pass' }, confirms: { a: 'pass', b: 'fail' }, waits: ['b'] },
  ],
  [
    'something gone twice is gone',
    {
      was: { a: 'pass', b: 'fail' },
      pending: ['b'],
      seen: { a: 'pass' },
      confirms: { a: 'pass' },
      changes: [['b', 'fail', undefined]],
    },
  ],
  [
    'each target waits for itself',
    {
      was: { a: 'pass', b: 'pass' },
      pending: ['a'],
      seen: { a: 'fail', b: 'fail' },
      confirms: { a: 'fail', b: 'pass' },
      waits: ['b'],
      changes: [['a', 'pass', 'fail']],
    },
  ],
  [
    'at once, nothing waits',
    {
      was: { a: 'pass', c: 'warn' },
      seen: { a: 'fail', b: 'unknown' },
      atOnce: true,
      confirms: { a: 'fail', b: 'unknown' },
      changes: [
        ['a', 'pass', 'fail'],
        ['b', undefined, 'unknown'],
        ['c', 'warn', undefined],
      ],
    },
  ],
  ['nothing was and nothing is', { was: {}, seen: {}, confirms: {} }],
])('%s', (_, { was, pending = [], seen, atOnce = false, confirms, waits = [], changes = [] }) => {
  const result = confirm({ confirmed: reported(was), pending: due(pending) }, findings(seen), timing(atOnce));
  expect(statusesOf(result.confirmed)).toEqual(confirms);
  expect([...result.pending]).toEqual(waits.map((target) => [target, nowMs + 15_000]));
  expect(changesOf(result.changes)).toEqual(changes);
});

describe('since', () => {
  test('stays while the status does, whatever else changes', () => {
    const seen = [{ target: 'a', status: 'fail', reason: 'other', message: 'Now 12 s' } as const];
    const { confirmed: now1 } = confirm(
      { confirmed: reported({ a: 'fail' }), pending: new Map() },
      seen,
      timing(false),
    );
    expect(now1).toEqual([{ ...seen[0], since: before }]);
  });

  test('is the moment at which the change is confirmed', () => {
    const { confirmed: now1 } = confirm(
      { confirmed: reported({ a: 'pass' }), pending: due(['a']) },
      findings({ a: 'fail' }),
      timing(false),
    );
    expect(now1[0]?.since).toBe(now.toISOString());
  });
});

test('while a change waits, the earlier words stand with fresh readings', () => {
  const readings = [{ gauge: 'things', value: 7 }];
  const seen = [{ target: 'a', status: 'fail', message: 'new words', readings } as const];
  const [finding] = confirm(
    { confirmed: reported({ a: 'pass' }), pending: new Map() },
    seen,
    timing(false),
  ).confirmed;
  expect(finding).toEqual({ target: 'a', status: 'pass', message: 'a is pass', since: before, readings });
});

test('a run that comes early, by the schedule for instance, confirms nothing yet', () => {
  const pending = new Map([['a', nowMs + 1000]]);
  const result = confirm(
    { confirmed: reported({ a: 'pass' }), pending },
    findings({ a: 'fail' }),
    timing(false),
  );
  expect(statusesOf(result.confirmed)).toEqual({ a: 'pass' });
  expect(result.pending).toEqual(pending);
});

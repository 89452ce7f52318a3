import { expect, test } from 'vitest';
import type { Status } from '../../src/check.ts';
import { type Reported, worsened } from '../../src/sinks/reported.ts';

/** Reported properties with one check whose findings have these statuses. */
const reported = (findings: Readonly<Record<string, Status>>): Reported => ({
  agent: { version: '1', startedAt: '2026-11-21T20:00:00.000Z', mode: 'edge' },
  policy: { value: {}, ac: 203, av: 0, ad: '' },
  checks: {
    diskSpace: {
      status: 'fail',
      since: '',
      findings: Object.entries(findings).map(([target, status]) => ({
        target,
        status,
        message: '',
        since: '',
      })),
    },
  },
});

test.each<[Record<string, Status>, Record<string, Status>, boolean]>([
  [{}, {}, false],
  [{}, { a: 'warn' }, true],
  [{ a: 'warn' }, { a: 'warn' }, false],
  [{ a: 'unknown' }, { a: 'warn' }, true],
  [{ a: 'warn' }, { a: 'fail' }, true],
  [{ a: 'fail' }, { a: 'warn' }, false],
  [{ a: 'fail' }, {}, false],
  [{ a: 'fail' }, { b: 'warn' }, true],
])('a change from %j to %j is worse: %s', (before, after, worse) => {
  expect(worsened(reported(before), reported(after))).toBe(worse);
});

test('a first report with a problem is worse than no report', () => {
  expect(worsened(undefined, reported({ a: 'warn' }))).toBe(true);
});

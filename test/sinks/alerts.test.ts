import { expect, test } from 'vitest';
import { alertFor } from '../../src/sinks/alerts.ts';
import { findingWithStatus } from '../support/fixtures/sample-report.ts';

const now = new Date('2026-11-21T20:30:00Z');
const target = '/var/lib';

test.each([
  [undefined, 'fail', 'error'],
  [undefined, 'warn', 'warning'],
  [undefined, 'unknown', 'warning'],
  ['pass', 'warn', 'warning'],
  ['warn', 'fail', 'error'],
  ['fail', 'unknown', 'warning'],
  ['fail', 'pass', 'info'],
  ['warn', 'skip', 'info'],
] as const)('a change from %s to %s is a message with severity %s', (previous, status, severity) => {
  const finding = findingWithStatus(status, target);
  expect(alertFor('diskSpace', { target, previous, finding }, now)).toEqual({
    body: { check: 'diskSpace', previousStatus: previous ?? 'none', ...finding },
    properties: { check: 'diskSpace', target, status, previousStatus: previous ?? 'none', severity },
  });
});

test.each(['pass', 'skip'] as const)('a new finding with status %s is not sent', (status) => {
  const finding = findingWithStatus(status, target);
  expect(alertFor('diskSpace', { target, previous: undefined, finding }, now)).toBeUndefined();
});

test('a finding that has disappeared is sent as skip, so that no alert stays open', () => {
  expect(alertFor('diskSpace', { target, previous: 'fail', finding: undefined }, now)).toEqual({
    body: {
      check: 'diskSpace',
      target,
      status: 'skip',
      previousStatus: 'fail',
      message: 'The check no longer reports this target',
      since: '2026-11-21T20:30:00.000Z',
    },
    properties: { check: 'diskSpace', target, status: 'skip', previousStatus: 'fail', severity: 'info' },
  });
});

test('readings are not sent', () => {
  const finding = {
    ...findingWithStatus('fail', target),
    readings: [{ gauge: 'filesystem_size_bytes', value: 1 }],
  };
  expect(alertFor('diskSpace', { target, previous: 'pass', finding }, now)?.body).not.toHaveProperty(
    'readings',
  );
});

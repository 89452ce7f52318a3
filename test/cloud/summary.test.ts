import { expect, test } from 'vitest';
import { summariseAlerts } from '../../src/cloud/summary.ts';
import { alertFor } from '../../src/sinks/alerts.ts';

const now = () => new Date('2026-11-21T20:30:00Z');
const summarise = summariseAlerts(now);

const alert = (status: 'pass' | 'warn' | 'fail', since = '2026-11-21T20:00:00.000Z') => {
  const finding = { target: '/var', status, message: 'm', remedy: 'r', reason: 'x', since } as const;
  const made = alertFor('diskSpace', { target: '/var', previous: 'skip', finding }, now());
  return { output: 'alerts', body: made?.body, properties: made?.properties ?? {} };
};

test('says how many were left out, since when, and what to do, with the properties of an alert', () => {
  expect(summarise(1, [alert('warn')])).toEqual({
    output: 'alerts',
    body: {
      check: 'hubConnection',
      target: 'alerts',
      status: 'warn',
      previousStatus: 'none',
      leftOut: 1,
      message: '1 alert was left out: more findings changed than can be kept for sending',
      remedy: "Read the current findings in the module twin's reported properties.",
      since: '2026-11-21T20:00:00.000Z',
    },
    properties: {
      check: 'hubConnection',
      target: 'alerts',
      status: 'warn',
      previousStatus: 'none',
      severity: 'warning',
      leftOut: '1',
    },
  });
});

test('has the worst severity and the first moment of all that were left out', () => {
  const first = summarise(1, [alert('fail')]);
  const second = summarise(2, [first, alert('pass', '2026-11-21T20:10:00.000Z')]);
  expect(second).toMatchObject({
    body: {
      status: 'fail',
      since: '2026-11-21T20:00:00.000Z',
      message: '2 alerts were left out: more findings changed than can be kept for sending',
    },
    properties: { status: 'fail', severity: 'error', leftOut: '2' },
  });
});

test('of messages in another form is still an alert', () => {
  expect(summarise(3, [{ output: 'alerts', body: null, properties: {} }])).toMatchObject({
    body: { status: 'skip', since: '2026-11-21T20:30:00.000Z' },
    properties: { severity: 'info' },
  });
});

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Status } from '../../src/check.ts';
import { createReporter } from '../../src/cloud/reporter.ts';
import { defaultPolicy, type PolicyInForce } from '../../src/policy/in-force.ts';
import { type Report, summarise } from '../../src/run/report.ts';
import type { Reported } from '../../src/sinks/reported.ts';
import { fakeCheck } from '../support/fake-check.ts';
import { policyOf } from '../support/policies.ts';

const minuteMs = 60_000;
const since = '2026-11-21T20:00:00.000Z';

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-11-21T20:30:00Z') });
});
afterEach(() => {
  vi.useRealTimers();
});

function reporting(document: object = {}) {
  const checks = [fakeCheck()];
  let inForce: PolicyInForce = {
    ...defaultPolicy(checks, new Date()),
    source: 'twin',
    version: 1,
    policy: policyOf(document, checks),
  };
  let complete = true;
  const sent: { properties: Reported; minIntervalSeconds: number; urgent: boolean }[] = [];
  const { show } = createReporter({
    send: (properties, minIntervalSeconds, urgent) => sent.push({ properties, minIntervalSeconds, urgent }),
    inForce: () => inForce,
    complete: () => complete,
  });
  const last = () => sent.at(-1);
  return {
    sent,
    last,
    show: (status: Status, message = 'It is', urgent = false) => show(reportOf(status, message), urgent),
    setComplete: (value: boolean) => {
      complete = value;
    },
    setVersion: (version: number) => {
      inForce = { ...inForce, version };
    },
    message: () => last()?.properties.checks?.fake?.findings[0]?.message,
    heartbeat: () => last()?.properties.heartbeat,
  };
}

function reportOf(status: Status, message: string): Report {
  const generatedAt = new Date().toISOString();
  const findings = [{ target: 'one', status, reason: 'broken', message, since }];
  const check = { title: 'x', status, since, lastRun: generatedAt, durationSeconds: 0, findings };
  return {
    generatedAt,
    agent: { version: '1.2.3', startedAt: since, mode: 'edge', hub: 'connected' },
    policy: { source: 'twin', version: 1, accepted: true, problems: [] },
    summary: summarise({ fake: check }),
    checks: { fake: check },
  };
}

test('it sends no more often than the policy says', () => {
  const { show, last } = reporting({ report: { minIntervalSeconds: 7 } });
  show('warn');
  expect(last()?.minIntervalSeconds).toBe(7);
});

describe('until every check has run', () => {
  test('only the acknowledgement is told', () => {
    const { show, setComplete, last } = reporting();
    setComplete(false);
    show('warn');
    expect(Object.keys(last()?.properties ?? {})).toEqual(['agent', 'policy']);
  });

  test('and then the first whole report goes at once, the next ones in turn', () => {
    const { show, setComplete, sent } = reporting();
    setComplete(false);
    show('warn');
    setComplete(true);
    show('warn');
    show('warn');
    expect(sent.map(({ urgent }) => urgent)).toEqual([false, true, false]);
  });

  test('a whole report is not taken back when a check is added to those that must run', () => {
    const { show, setComplete, last } = reporting();
    show('warn');
    setComplete(false);
    show('warn');
    expect(last()?.properties.checks).toBeDefined();
  });
});

test('what somebody waits for is urgent', () => {
  const { show, sent } = reporting();
  show('warn', 'first');
  show('warn', 'asked', true);
  expect(sent.map(({ urgent }) => urgent)).toEqual([true, true]);
});

describe('a number that drifts', () => {
  test('changes nothing that is sent while the status stays', () => {
    const { show, sent } = reporting();
    show('warn', 'Used 81 %');
    show('warn', 'Used 82 %');
    expect(sent[1]?.properties).toEqual(sent[0]?.properties);
  });

  test('is told with the next change of status', () => {
    const { show, message } = reporting();
    show('warn', 'Used 81 %');
    show('fail', 'Used 95 %');
    expect(message()).toBe('Used 95 %');
  });

  test('is told with the next heartbeat', () => {
    const { show, message } = reporting();
    show('warn', 'Used 81 %');
    vi.advanceTimersByTime(60 * minuteMs);
    show('warn', 'Used 85 %');
    expect(message()).toBe('Used 85 %');
  });

  test('is told with a new policy', () => {
    const { show, setVersion, message } = reporting();
    show('warn', 'Used 81 %');
    setVersion(2);
    show('warn', 'Used 85 %');
    expect(message()).toBe('Used 85 %');
  });
});

describe('the heartbeat', () => {
  test('is new after heartbeatMinutes, and not before', () => {
    const { show, heartbeat } = reporting({ report: { heartbeatMinutes: 10 } });
    show('pass');
    vi.advanceTimersByTime(10 * minuteMs - 1);
    show('pass');
    expect(heartbeat()).toBe('2026-11-21T20:30:00.000Z');
    vi.advanceTimersByTime(1);
    show('pass');
    expect(heartbeat()).toBe('2026-11-21T20:40:00.000Z');
  });

  test('does not come early when the clock jumps', () => {
    const { show, sent } = reporting();
    show('pass');
    vi.setSystemTime(new Date('2027-11-21T20:30:00Z'));
    show('pass');
    expect(sent[1]?.properties.heartbeat).toBe(sent[0]?.properties.heartbeat);
  });
});

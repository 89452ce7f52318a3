import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Status } from '../../src/check.ts';
import { createReporter } from '../../src/cloud/reporter.ts';
import { defaultPolicy, type PolicyInForce } from '../../src/policy/in-force.ts';
import { type Report, summarise } from '../../src/run/report.ts';
import type { Reported } from '../../src/sinks/reported.ts';
import { fakeCheck } from '../support/fixtures/fake-check.ts';
import { policyOf } from '../support/fixtures/policies.ts';

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
    policy: {
      source: 'twin',
      version: 1,
      accepted: true,
      problems: [],
      exceptions: { active: 0, over: 0, unused: 0 },
    },
    summary: summarise({ fake: check }),
    checks: { fake: check },
  };
}

test('reports are sent with the minimum interval of the policy', () => {
  const { show, last } = reporting({ report: { minIntervalSeconds: 7 } });
  show('warn');
  expect(last()?.minIntervalSeconds).toBe(7);
});

describe('until every check has run', () => {
  test('only agent and policy are sent', () => {
    const { show, setComplete, last } = reporting();
    setComplete(false);
    show('warn');
    expect(Object.keys(last()?.properties ?? {})).toEqual(['agent', 'policy']);
  });

  test('nothing is urgent, then the first complete report is, later ones are not', () => {
    const { show, setComplete, sent } = reporting();
    setComplete(false);
    show('warn');
    setComplete(true);
    show('warn');
    show('warn');
    expect(sent.map(({ urgent }) => urgent)).toEqual([false, true, false]);
  });

  test('a complete report stays when another check is enabled', () => {
    const { show, setComplete, last } = reporting();
    show('warn');
    setComplete(false);
    show('warn');
    expect(last()?.properties.checks).toBeDefined();
  });
});

test('a report that a caller waits for is urgent', () => {
  const { show, sent } = reporting();
  show('warn', 'first');
  show('warn', 'asked', true);
  expect(sent.map(({ urgent }) => urgent)).toEqual([true, true]);
});

describe('a number that drifts', () => {
  test('does not change the properties while the status stays', () => {
    const { show, sent } = reporting();
    show('warn', 'Used 81 %');
    show('warn', 'Used 82 %');
    expect(sent[1]?.properties).toEqual(sent[0]?.properties);
  });

  test('is sent with the next change of status', () => {
    const { show, message } = reporting();
    show('warn', 'Used 81 %');
    show('fail', 'Used 95 %');
    expect(message()).toBe('Used 95 %');
  });

  test('is sent with the next heartbeat', () => {
    const { show, message } = reporting();
    show('warn', 'Used 81 %');
    vi.advanceTimersByTime(60 * minuteMs);
    show('warn', 'Used 85 %');
    expect(message()).toBe('Used 85 %');
  });

  test('keeps its text until the next heartbeat, and again after it', () => {
    const { show, message } = reporting();
    const messageAfter = (usedPercent: number) => {
      show('warn', `Used ${usedPercent} %`);
      return message();
    };
    expect(messageAfter(76)).toBe('Used 76 %');
    vi.advanceTimersByTime(59 * minuteMs);
    expect(messageAfter(77)).toBe('Used 76 %');
    vi.advanceTimersByTime(minuteMs);
    expect(messageAfter(78)).toBe('Used 78 %');
    expect(messageAfter(79)).toBe('Used 78 %');
  });

  test('keeps its text after a new policy', () => {
    const { show, setVersion, message } = reporting();
    show('warn', 'Used 76 %');
    setVersion(8);
    show('warn', 'Used 77 %');
    expect(message()).toBe('Used 77 %');
    show('warn', 'Used 78 %');
    expect(message()).toBe('Used 77 %');
  });

  test('is sent with a new policy', () => {
    const { show, setVersion, message } = reporting();
    show('warn', 'Used 81 %');
    setVersion(2);
    show('warn', 'Used 85 %');
    expect(message()).toBe('Used 85 %');
  });
});

describe('the heartbeat', () => {
  test('is updated after heartbeatMinutes, not before', () => {
    const { show, heartbeat } = reporting({ report: { heartbeatMinutes: 10 } });
    show('pass');
    vi.advanceTimersByTime(10 * minuteMs - 1);
    show('pass');
    expect(heartbeat()).toBe('2026-11-21T20:30:00.000Z');
    vi.advanceTimersByTime(1);
    show('pass');
    expect(heartbeat()).toBe('2026-11-21T20:40:00.000Z');
  });

  test('is not early when the clock jumps', () => {
    const { show, sent } = reporting();
    show('pass');
    vi.setSystemTime(new Date('2027-11-21T20:30:00Z'));
    show('pass');
    expect(sent[1]?.properties.heartbeat).toBe(sent[0]?.properties.heartbeat);
  });
});

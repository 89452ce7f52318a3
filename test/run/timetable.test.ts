import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import type { Need } from '../../src/host.ts';
import { defaultPolicy } from '../../src/policy/in-force.ts';
import { createAgent } from '../../src/run/agent.ts';
import { schedule } from '../../src/run/schedule.ts';
import { createSpacing } from '../../src/run/spacing.ts';
import { fakeCheck } from '../support/fixtures/fake-check.ts';
import { fakeHost } from '../support/fixtures/fake-host.ts';
import { policyOf } from '../support/fixtures/policies.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-11-21T20:00:00.500Z') });
});
afterEach(() => {
  vi.useRealTimers();
});

/** An agent with one check for each kind of need, and the milliseconds after which each ran. */
function agentWith(document: object, random?: () => number) {
  const runs: Record<string, number[]> = { network: [], http: [], path: [], none: [] };
  const startedAt = Date.now();
  const needs: Readonly<Record<string, readonly Need[]>> = {
    network: [{ kind: 'network', what: 'tcp://hub.test:1' }],
    http: [{ kind: 'http', url: 'http://edgeHub:9600/metrics' }],
    path: [{ kind: 'path', path: '/etc' }],
    none: [],
  };
  const triggers: Record<string, (why: string) => void> = {};
  const checks = Object.entries(needs).map(([id, need]) =>
    fakeCheck({
      id,
      params: z.strictObject({ limit: z.number().default(1) }),
      needs: () => need,
      trigger: (_host, runNow) => {
        triggers[id] = runNow;
      },
      examine: async () => {
        runs[id]?.push(Date.now() - startedAt);
        return { status: 'pass', message: 'It is right' };
      },
    }),
  );
  const inForceWith = (next: object) => ({
    ...defaultPolicy(checks, new Date()),
    policy: policyOf({ jitterSeconds: 0, ...next }, checks),
  });
  let inForce = inForceWith(document);
  const why: string[] = [];
  const agent = createAgent({
    checks,
    host: fakeHost({ now: () => new Date() }),
    policy: () => inForce,
    identity: { version: '1.2.3', startedAt: '', mode: 'standalone' },
    schedule,
    ...(random ? { random } : {}),
    onTrigger: (check) => why.push(check),
    remembered: {},
    hub: () => ({ hub: 'none' }),
  });
  return {
    agent,
    runs,
    why,
    trigger: (id: string) => triggers[id]?.('Something happened'),
    adopt(next: object) {
      const before = inForce;
      inForce = inForceWith(next);
      agent.policyChanged(before);
    },
  };
}

/** The shortest time between two runs. */
const shortestGap = (times: readonly number[] = []) =>
  Math.min(...times.slice(1).map((time, i) => time - (times[i] ?? 0)));

test.each([
  ['the schedule', { schedule: '* * * * * *' }],
  [
    "a check's own schedule",
    { checks: { network: { schedule: '* * * * * *' }, http: { schedule: '*/2 * * * * *' } } },
  ],
  ['jitter', { schedule: '*/10 * * * * *', jitterSeconds: 25 }],
  ['several a minute', { schedule: '0,1,2,50 * * * * *' }],
])('checks that use the network run every 30 s at most, with %s', async (_, document) => {
  const { agent, runs } = agentWith(document);
  agent.start();
  await vi.advanceTimersByTimeAsync(600_000);
  agent.stop();
  for (const id of ['network', 'http']) {
    expect(shortestGap(runs[id])).toBeGreaterThanOrEqual(30_000);
    expect(runs[id]?.length).toBeGreaterThanOrEqual(8);
    expect(runs[id]?.length).toBeLessThanOrEqual(21);
  }
});

test('other checks follow every schedule', async () => {
  const { agent, runs } = agentWith({ schedule: '* * * * * *' });
  agent.start();
  await vi.advanceTimersByTimeAsync(60_000);
  agent.stop();
  expect([runs.path?.length, runs.none?.length, runs.network?.length]).toEqual([61, 61, 3]);
});

test('a schedule of every 30 s is followed as it is', async () => {
  const { agent, runs } = agentWith({ schedule: '*/30 * * * * *' });
  agent.start();
  await vi.advanceTimersByTimeAsync(300_000);
  agent.stop();
  expect(runs.network).toHaveLength(11);
});

test('a run that somebody asks for does not wait', async () => {
  const { agent, runs } = agentWith({ schedule: '0 0 1 1 *' });
  agent.start();
  await vi.advanceTimersByTimeAsync(1000);
  await agent.runChecks(['network']);
  expect(runs.network).toEqual([0, 1000]);
  agent.stop();
});

test('a run that was postponed is cancelled by a stop', async () => {
  const { agent, runs } = agentWith({ schedule: '* * * * * *' });
  agent.start();
  await vi.advanceTimersByTimeAsync(5000);
  agent.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(runs.network).toEqual([0]);
  expect(vi.getTimerCount()).toBe(0);
});

test('what comes during a gap is joined into one run at its end', async () => {
  const ran: string[] = [];
  const spacing = createSpacing<string>(
    (item) => (item === 'slow' ? 1000 : 0),
    (item) => ran.push(item),
  );
  expect(spacing.due(['slow', 'fast'])).toEqual(['slow', 'fast']);
  await vi.advanceTimersByTimeAsync(400);
  expect(spacing.due(['slow', 'fast'])).toEqual(['fast']);
  await vi.advanceTimersByTimeAsync(400);
  expect(spacing.due(['slow'])).toEqual([]);
  await vi.advanceTimersByTimeAsync(200);
  expect(ran).toEqual(['slow']);
  await vi.advanceTimersByTimeAsync(5000);
  expect(ran).toEqual(['slow']);
  expect(spacing.due(['slow'])).toEqual(['slow']);
});

test('an item that no longer has a gap does not wait for the one it had', async () => {
  let gapMs = 1000;
  const spacing = createSpacing<string>(
    () => gapMs,
    () => {},
    3,
  );
  for (let n = 0; n < 3; n += 1) expect(spacing.due(['a'])).toEqual(['a']);
  gapMs = 0;
  expect(spacing.isResting('a')).toBe(false);
  expect(spacing.due(['a'])).toEqual(['a']);
});

describe('a trigger', () => {
  test('runs a check at once, but one that uses the network only three times in a row, and then every 30 s', async () => {
    const { agent, runs, why, trigger } = agentWith({ schedule: '0 0 1 1 *' });
    agent.start();
    for (let second = 1; second <= 40; second += 1) {
      await vi.advanceTimersByTimeAsync(1000);
      trigger('network');
    }
    trigger('none');
    await vi.advanceTimersByTimeAsync(60_000);
    agent.stop();
    expect(runs.network).toEqual([0, 1000, 2000, 3000, 31_000, 61_000]);
    expect(runs.none).toEqual([0, 40_000]);
    // Each run is announced once.
    expect(why).toEqual([...Array.from({ length: 5 }, () => 'network'), 'none']);
  });

  test('runs no check that the policy disables', async () => {
    const { agent, runs, why, trigger } = agentWith({ checks: { none: { enabled: false } } });
    agent.start();
    trigger('none');
    await vi.advanceTimersByTimeAsync(1000);
    agent.stop();
    expect([runs.none, why]).toEqual([[], []]);
  });
});

describe('a new policy', () => {
  const everySecond = { schedule: '* * * * * *' };

  test('that comes again and again does not keep a check from its run after the gap', async () => {
    const { agent, runs, adopt } = agentWith({ schedule: '1 * * * * *' });
    agent.start();
    for (let i = 0; i < 10; i += 1) {
      await vi.advanceTimersByTimeAsync(5000);
      adopt({ schedule: '1 * * * * *', note: `policy ${i}` });
    }
    agent.stop();
    expect(runs.network).toEqual([0, 30_000]);
  });

  test('that comes again and again does not keep a check from its run after the jitter', async () => {
    const { agent, runs, adopt } = agentWith({ schedule: '0 * * * * *', jitterSeconds: 50 }, () => 0.9);
    agent.start();
    for (let i = 0; i < 40; i += 1) {
      await vi.advanceTimersByTimeAsync(3000);
      adopt({ schedule: '0 * * * * *', jitterSeconds: 50, note: `policy ${i}` });
    }
    agent.stop();
    // 59.5 s after the start it is a full minute, and the delay is 45 s.
    expect(runs.none).toEqual([0, 104_500]);
  });

  test('with less jitter shortens the delay of a run that is waiting', async () => {
    const { agent, runs, adopt } = agentWith({ schedule: '0 * * * * *', jitterSeconds: 3600 }, () => 0.9);
    agent.start();
    await vi.advanceTimersByTimeAsync(60_000);
    adopt({ schedule: '0 * * * * *', jitterSeconds: 10 });
    await vi.advanceTimersByTimeAsync(10_000);
    agent.stop();
    expect(runs.none).toEqual([0, 70_000]);
  });

  test('that disables a check drops its run that is waiting', async () => {
    const { agent, runs, adopt } = agentWith({
      ...everySecond,
      checks: { none: { schedule: '0 * * * * *' } },
    });
    agent.start();
    await vi.advanceTimersByTimeAsync(2000);
    adopt({ ...everySecond, checks: { network: { enabled: false } } });
    await vi.advanceTimersByTimeAsync(60_000);
    agent.stop();
    expect(runs.network).toEqual([0]);
  });

  test('does not lose a run that is due at the same moment', async () => {
    const { agent, runs, adopt } = agentWith({ schedule: '0 * * * * *' });
    agent.start();
    await vi.advanceTimersByTimeAsync(59_499);
    // The moment has passed, and the timer has not come to run yet.
    vi.setSystemTime(Date.now() + 5);
    adopt({ schedule: '0 * * * * *', note: 'another' });
    await vi.advanceTimersByTimeAsync(1000);
    agent.stop();
    expect(runs.none).toHaveLength(2);
  });

  test('that arrives before the start runs what it changes once', async () => {
    const { agent, runs, adopt } = agentWith({ schedule: '0 0 1 1 *' });
    adopt({ schedule: '0 0 1 1 *', checks: { network: { limit: 2 } } });
    await vi.advanceTimersByTimeAsync(1000);
    agent.start();
    await vi.advanceTimersByTimeAsync(60_000);
    agent.stop();
    expect([runs.network, runs.http, runs.none]).toEqual([[0], [1000], [1000]]);
  });

  test('runs a check whose parameters it changes at once, and the gap begins there', async () => {
    const { agent, runs, adopt } = agentWith(everySecond);
    agent.start();
    await vi.advanceTimersByTimeAsync(10_000);
    adopt({ ...everySecond, checks: { network: { limit: 2 } } });
    await vi.advanceTimersByTimeAsync(50_000);
    agent.stop();
    expect(runs.network).toEqual([0, 10_000, 40_000]);
  });
});

describe('jitter', () => {
  const minuteMs = 60_000;
  const hourMs = 60 * minuteMs;

  test('delays each run by less than jitterSeconds', async () => {
    const { agent, runs } = agentWith({ schedule: '0 * * * *', jitterSeconds: 600 });
    agent.start();
    await vi.advanceTimersByTimeAsync(50 * hourMs);
    agent.stop();
    const [, ...later] = runs.none ?? [];
    // The start is half a second after the hour.
    const delays = later.map((ms) => (ms + 500) % hourMs);
    expect(later.length).toBeGreaterThanOrEqual(49);
    expect(Math.max(...delays)).toBeLessThan(600_000);
    expect(new Set(delays).size).toBeGreaterThan(10);
  });

  test('longer than the time between runs neither piles them up nor stops them', async () => {
    const { agent, runs } = agentWith({ schedule: '* * * * *', jitterSeconds: 3600 });
    agent.start();
    await vi.advanceTimersByTimeAsync(48 * hourMs);
    agent.stop();
    expect(runs.none?.length).toBeGreaterThan(24);
    expect(runs.none?.length).toBeLessThan(48 * 60);
  });

  test('delays checks that share a schedule together', async () => {
    const { agent, runs } = agentWith({ schedule: '0 * * * *', jitterSeconds: 600 });
    agent.start();
    await vi.advanceTimersByTimeAsync(5 * hourMs);
    agent.stop();
    expect(runs.none).toEqual(runs.path);
  });

  test('that is waiting is cancelled by a stop', async () => {
    const { agent, runs } = agentWith({ schedule: '0 * * * * *', jitterSeconds: 50 }, () => 0.9);
    agent.start();
    await vi.advanceTimersByTimeAsync(60_000);
    agent.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(runs.none).toEqual([0]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

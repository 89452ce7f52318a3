import { afterEach, beforeEach, expect, test, vi } from 'vitest';
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
function agentWith(document: object) {
  const runs: Record<string, number[]> = { network: [], http: [], path: [], none: [] };
  const startedAt = Date.now();
  const needs: Readonly<Record<string, readonly Need[]>> = {
    network: [{ kind: 'network', what: 'tcp://hub.test:1' }],
    http: [{ kind: 'http', url: 'http://edgeHub:9600/metrics' }],
    path: [{ kind: 'path', path: '/etc' }],
    none: [],
  };
  const checks = Object.entries(needs).map(([id, need]) =>
    fakeCheck({
      id,
      needs: () => need,
      examine: async () => {
        runs[id]?.push(Date.now() - startedAt);
        return { status: 'pass', message: 'It is right' };
      },
    }),
  );
  const policy = policyOf({ jitterSeconds: 0, ...document }, checks);
  const inForce = { ...defaultPolicy(checks, new Date()), policy };
  const agent = createAgent({
    checks,
    host: fakeHost({ now: () => new Date() }),
    policy: () => inForce,
    identity: { version: '1.2.3', startedAt: '', mode: 'standalone' },
    schedule,
    remembered: {},
    hub: () => ({ hub: 'none' }),
  });
  return { agent, runs };
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

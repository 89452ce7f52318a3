import { describe, expect, test } from 'vitest';
import { routes } from '../../src/http/routes.ts';
import type { Agent } from '../../src/run/agent.ts';
import type { Report } from '../../src/run/report.ts';
import type { Metrics } from '../../src/sinks/metrics.ts';
import { reportOf, sampleReport } from '../support/fixtures/sample-report.ts';

const unused = () => {
  throw new Error('no request may do this');
};

/** The routes of an agent that can only be read. */
function served(given: Partial<Agent> = {}) {
  const agent: Agent = {
    start: unused,
    subscribe: unused,
    policyChanged: unused,
    runChecks: unused,
    stop: unused,
    report: () => sampleReport,
    notReady: () => undefined,
    stuck: () => undefined,
    ...given,
  };
  const metrics: Metrics = {
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    count: unused,
    render: async (report) => `# ${report.generatedAt}\n`,
  };
  return routes({ agent, metrics, device: 'line-4-gateway' });
}

const answerOf = async (path: string, given?: Partial<Agent>) => await served(given)[path]?.();

test('every endpoint of the contract is there, and no other', () => {
  expect(Object.keys(served())).toEqual(['/', '/metrics', '/api/report', '/healthz', '/readyz']);
});

test('/ is the status page of the current report, as HTML', async () => {
  const answer = await answerOf('/');
  expect(answer?.type).toBe('text/html; charset=utf-8');
  expect(String(answer?.body)).toMatch(/^<!doctype html>/);
  expect(String(answer?.body)).toContain('line-4-gateway');
  expect(String(answer?.body)).toContain('<section class="fail" id="outboundReachability">');
});

test('/api/report is the same report, as JSON', async () => {
  const answer = await answerOf('/api/report');
  expect(answer?.type).toBe('application/json; charset=utf-8');
  expect(JSON.parse(String(answer?.body))).toEqual(JSON.parse(JSON.stringify(sampleReport)));
});

test('/metrics is rendered from the same report, with its own content type', async () => {
  expect(await answerOf('/metrics')).toEqual({
    type: 'text/plain; version=0.0.4; charset=utf-8',
    body: Buffer.from(`# ${sampleReport.generatedAt}\n`),
  });
});

test.each(['/', '/api/report', '/metrics'])('%s follows the report', async (path) => {
  const first = { ...reportOf({}), generatedAt: '2026-11-21T20:30:00.000Z' };
  const second = { ...reportOf({}), generatedAt: '2026-11-21T20:31:00.000Z' };
  let report = first;
  const route = served({ report: () => report })[path];
  const before = await route?.();
  report = second;
  const after = await route?.();
  expect(String(after?.body)).not.toBe(String(before?.body));
});

describe('an output is rendered once per report, and its bytes are shared', () => {
  const report = (change: Partial<Report> = {}): Report => ({ ...structuredClone(sampleReport), ...change });

  test.each(['/', '/api/report', '/metrics'])('%s', async (path) => {
    const route = served({ report })[path];
    const [first, second] = await Promise.all([route?.(), route?.()]);
    expect(second?.body).toBe(first?.body);
    expect((await route?.())?.body).toBe(first?.body);
  });

  test.each<[string, Partial<Report>]>([
    ['another second', { generatedAt: '2030-01-01T00:00:00.000Z' }],
    ['the state of the hub', { agent: { ...sampleReport.agent, hub: 'offline' } }],
    ['the policy', { policy: { ...sampleReport.policy, version: 99 } }],
    [
      'a run of a check',
      {
        checks: {
          clockDrift: {
            title: '',
            status: 'pass',
            since: '',
            lastRun: 'now',
            durationSeconds: 1,
            findings: [],
          },
        },
      },
    ],
  ])('%s renders it again', async (_, change) => {
    let current = report();
    const route = served({ report: () => current })['/api/report'];
    const before = await route?.();
    current = report(change);
    expect(String((await route?.())?.body)).not.toBe(String(before?.body));
  });
});

describe('/healthz and /readyz', () => {
  const stuck = 'the next run is 600 s overdue';
  const notReady = 'waiting for the first run of diskSpace';
  const ok = { status: 200, body: 'ok\n' };
  const failing = (problem: string) => ({ status: 503, body: `${problem}\n` });

  test.each([
    ['both are fine', undefined, undefined, ok, ok],
    ['the loop is stuck: only /healthz fails', stuck, undefined, failing(stuck), ok],
    ['a check has not run yet: only /readyz fails', undefined, notReady, ok, failing(notReady)],
    ['both fail', stuck, notReady, failing(stuck), failing(notReady)],
  ])('%s', async (_, stuckBecause, notReadyBecause, health, ready) => {
    const given = { stuck: () => stuckBecause, notReady: () => notReadyBecause };
    expect(await answerOf('/healthz', given)).toMatchObject(health);
    expect(await answerOf('/readyz', given)).toMatchObject(ready);
  });
});

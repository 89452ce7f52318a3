import { describe, expect, test } from 'vitest';
import type { Body } from '../../src/http/body.ts';
import { routes } from '../../src/http/routes.ts';
import type { Agent } from '../../src/run/agent.ts';
import type { Report } from '../../src/run/report.ts';
import type { Metrics } from '../../src/sinks/metrics.ts';
import { reportOf, sampleReport } from '../support/fixtures/sample-report.ts';

const unused = () => {
  throw new Error('no request may do this');
};

/** The routes of an agent that can only be read. */
function served(given: Partial<Agent> = {}, ofMetrics: Partial<Metrics> = {}) {
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
    key: () => '',
    render: async (report) => `# ${report.policy.version}\n`,
    ...ofMetrics,
  };
  return routes({ agent, metrics, device: 'line-4-gateway' });
}

const textOf = (answer: { readonly body: string | Body } | undefined): string =>
  typeof answer?.body === 'object' ? answer.body.bytes.toString() : textOf(answer);

const answerOf = async (path: string, given?: Partial<Agent>) => await served(given)[path]?.();

test('every endpoint of the contract is there, and no other', () => {
  expect(Object.keys(served())).toEqual(['/', '/metrics', '/api/report', '/healthz', '/readyz']);
});

test('/ is the status page of the current report, as HTML', async () => {
  const answer = await answerOf('/');
  expect(answer?.type).toBe('text/html; charset=utf-8');
  expect(textOf(answer)).toMatch(/^<!doctype html>/);
  expect(textOf(answer)).toContain('line-4-gateway');
  expect(textOf(answer)).toContain('<section class="fail" id="outboundReachability">');
});

test('/api/report is the same report, as JSON', async () => {
  const answer = await answerOf('/api/report');
  expect(answer?.type).toBe('application/json; charset=utf-8');
  expect(JSON.parse(textOf(answer))).toEqual(JSON.parse(JSON.stringify(sampleReport)));
});

test('/metrics is rendered from the same report, with its own content type', async () => {
  const answer = await answerOf('/metrics');
  expect(answer?.type).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(textOf(answer)).toBe(`# ${sampleReport.policy.version}\n`);
});

test.each(['/', '/api/report', '/metrics'])('%s follows the report', async (path) => {
  const first = reportOf({});
  const second = { ...first, policy: { ...first.policy, version: 99 } };
  let report = first;
  const route = served({ report: () => report })[path];
  const before = await route?.();
  report = second;
  expect(textOf(await route?.())).not.toBe(textOf(before));
});

describe('/metrics', () => {
  const reportAt = (second: number): Report => ({
    ...sampleReport,
    generatedAt: `2026-11-21T20:30:0${second}.000Z`,
  });

  test('is rendered once per change, however much time passes', async () => {
    let second = 0;
    let renders = 0;
    const render = async () => `# ${++renders}\n`;
    const route = served({ report: () => reportAt(second) }, { render })['/metrics'];
    const first = await route?.();
    second = 1;
    expect((await route?.())?.body).toBe(first?.body);
    expect(renders).toBe(1);
  });

  test('is rendered again when something beside the report has changed', async () => {
    let patches = 0;
    const route = served({}, { key: () => String(patches), render: async () => `# ${patches}\n` })[
      '/metrics'
    ];
    const before = await route?.();
    patches = 1;
    expect([textOf(before), textOf(await route?.())]).toEqual(['# 0\n', '# 1\n']);
  });

  test('is rendered again after a failure', async () => {
    let failing = true;
    const render = async () => {
      if (failing) throw new Error('out of order');
      return 'fine\n';
    };
    const route = served({}, { render })['/metrics'];
    await expect(route?.()).rejects.toThrow('out of order');
    failing = false;
    expect(textOf(await route?.())).toBe('fine\n');
  });

  test('is rendered for one change after the other', async () => {
    let version = 0;
    let rendering = 0;
    const render = async (report: Report) => {
      rendering += 1;
      expect(rendering).toBe(1);
      await new Promise(setImmediate);
      rendering -= 1;
      return `# ${report.policy.version}\n`;
    };
    const report = () => ({ ...sampleReport, policy: { ...sampleReport.policy, version } });
    const route = served({ report }, { render })['/metrics'];
    const first = route?.();
    version = 1;
    const second = route?.();
    expect([textOf(await first), textOf(await second)]).toEqual(['# 0\n', '# 1\n']);
  });
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
    expect(textOf(await route?.())).not.toBe(textOf(before));
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

import { describe, expect, test } from 'vitest';
import { CannotTell, type Verdict } from '../../src/check.ts';
import { createMethods } from '../../src/cloud/methods.ts';
import { defaultPolicy } from '../../src/policy/in-force.ts';
import { createAgent } from '../../src/run/agent.ts';
import type { Report } from '../../src/run/report.ts';
import { deferred, fakeCheck, subjectsNamed } from '../support/fixtures/fake-check.ts';
import { fakeHost } from '../support/fixtures/fake-host.ts';

const now = new Date('2026-11-21T20:30:00Z');

function methods(checks = ['first', 'second'].map((id) => fakeCheck({ id }))) {
  const inForce = defaultPolicy(checks, now);
  const agent = createAgent({
    checks,
    host: fakeHost({}),
    policy: () => inForce,
    identity: { version: '1.2.3', startedAt: now.toISOString(), mode: 'edge' },
    schedule: () => ({ overdueMs: () => 0, stop: () => {} }),
    remembered: {},
    hub: () => ({ hub: 'connected' }),
  });
  return { agent, ...createMethods(agent, checks) };
}

describe('runChecks', () => {
  test.each<[unknown, string[]]>([
    [{ checks: ['second'] }, ['second']],
    [{}, ['first', 'second']],
    [null, ['first', 'second']],
    [undefined, ['first', 'second']],
  ])('with %j returns the report of that run', async (payload, ran) => {
    const { status, payload: report } = await methods().runChecks(payload);
    expect(status).toBe(200);
    expect(Object.keys((report as { checks: object }).checks)).toEqual(ran);
  });

  test.each([
    [{ checks: ['third'] }, 'payload.checks[0] must be "first" or "second", got "third"'],
    [{ checks: ['__proto__'] }, 'payload.checks[0] must be "first" or "second", got "__proto__"'],
    [{ checks: [] }, 'payload.checks must be an array that is not empty, got an array of 0 entries'],
    [{ checks: 'first' }, 'payload.checks must be an array that is not empty, got "first"'],
    [{ check: ['first'] }, 'payload.check: unknown key, did you mean checks?'],
    ['first', 'payload must be an object, got "first"'],
    [[], 'payload must be an object, got an array'],
    [5, 'payload must be an object, got 5'],
  ])('with %j is a bad request and runs no checks', async (payload, error) => {
    const { agent, runChecks } = methods();
    expect(await runChecks(payload)).toEqual({ status: 400, payload: { error } });
    expect(agent.report().checks).toEqual({});
  });
});

test('runChecks with some checks returns only those, getReport returns all', async () => {
  const { runChecks, getReport } = methods();
  await runChecks({});
  const { payload } = await runChecks({ checks: ['second'] });
  expect(payload).toMatchObject({ summary: { status: 'pass', pass: 1 } });
  expect(Object.keys((payload as Report).checks)).toEqual(['second']);
  expect(await getReport({})).toMatchObject({ payload: { summary: { pass: 2 } } });
});

describe('getReport', () => {
  test('returns the report and runs no checks', async () => {
    const { agent, getReport } = methods();
    expect(await getReport({})).toEqual({ status: 200, payload: agent.report() });
    expect(await getReport(undefined)).toMatchObject({ status: 200, payload: { checks: {} } });
  });

  test('rejects parameters', async () => {
    expect(await methods().getReport({ checks: ['first'] })).toMatchObject({ status: 400 });
  });
});

describe('a report that is too large for a response', () => {
  const statuses = ['pass', 'warn', 'fail', 'unknown'] as const;
  const many = ['first', 'second'].map((id) =>
    fakeCheck({
      id,
      subjects: () => subjectsNamed(...Array.from({ length: 400 }, (_, i) => `${i} ${statuses[i % 4]}`)),
      async examine({ target }) {
        const status = statuses[Number.parseInt(target, 10) % 4] ?? 'pass';
        const message = 'ü"'.repeat(150);
        if (status === 'unknown') throw new CannotTell('timed_out', message);
        return { status, reason: 'broken', message, remedy: message };
      },
    }),
  );

  test.each(['runChecks', 'getReport'] as const)(
    'is reduced by %s to the worst findings, with the number left out',
    async (name) => {
      const { agent, ...called } = methods(many);
      await called.runChecks({});
      const { status, payload } = await called[name]({});
      const whole = agent.report();
      const report = payload as Report & { summary: { findingsLeftOut: number } };
      const size = Buffer.byteLength(JSON.stringify(payload));
      expect([status, size > 115 * 1024, size < 120 * 1024]).toEqual([200, true, true]);
      const kept = Object.values(report.checks).flatMap(({ findings }) => findings);
      const left = 800 - kept.length;
      expect(report.summary).toEqual({ ...whole.summary, findingsLeftOut: left });
      expect(left).toBeGreaterThan(0);
      const count = (status: string) => kept.filter((finding) => finding.status === status).length;
      expect([count('fail'), count('unknown'), count('pass')]).toEqual([Math.min(200, kept.length), 0, 0]);
    },
  );

  test('is complete if it fits', async () => {
    const { agent, getReport, runChecks } = methods();
    await runChecks({});
    expect(await getReport({})).toEqual({ status: 200, payload: agent.report() });
  });
});

test('concurrent calls share one run, and each gets its report', async () => {
  const answer = deferred<Verdict>();
  let runs = 0;
  const examine = () => {
    runs += 1;
    return answer.promise;
  };
  const { runChecks, getReport } = methods([fakeCheck({ id: 'first', examine })]);
  const calls = [runChecks({}), runChecks({ checks: ['first'] }), runChecks(undefined)];
  expect(await getReport({})).toMatchObject({ status: 200, payload: { checks: {} } });
  answer.resolve({ status: 'pass', message: 'It is right' });
  for (const call of calls) {
    expect(await call).toMatchObject({ status: 200, payload: { checks: { first: { status: 'pass' } } } });
  }
  expect(runs).toBe(1);
});

describe('validatePolicy', () => {
  test('returns the policy with its defaults and changes nothing', async () => {
    const { agent, validatePolicy } = methods();
    const before = agent.report().policy;
    expect(await validatePolicy({ policy: { timeoutSeconds: 5 } })).toMatchObject({
      status: 200,
      payload: { accepted: true, policy: { timeoutSeconds: 5, jitterSeconds: 30 } },
    });
    expect(agent.report().policy).toEqual(before);
  });

  test('returns the problems of an invalid policy', async () => {
    expect(await methods().validatePolicy({ policy: { timeoutSecond: 5 } })).toEqual({
      status: 200,
      payload: { accepted: false, problems: ['timeoutSecond: unknown key, did you mean timeoutSeconds?'] },
    });
  });

  const missing = 'payload.policy is missing: it must be a JSON value';
  test.each([
    [undefined, missing],
    [null, missing],
    [{}, missing],
    [[], 'payload must be an object, got an array'],
    ['text', 'payload must be an object, got "text"'],
    [{ polcy: {} }, `${missing}; payload.polcy: unknown key, did you mean policy?`],
  ])('without a policy is a bad request: %j', async (payload, error) => {
    expect(await methods().validatePolicy(payload)).toEqual({ status: 400, payload: { error } });
  });

  test('returns one problem for a policy that is nested 3,000 levels deep', async () => {
    const policy: unknown = JSON.parse(`${'['.repeat(3000)}${']'.repeat(3000)}`);
    expect(await methods().validatePolicy({ policy })).toMatchObject({
      status: 200,
      payload: { accepted: false, problems: ['[0][0] is nested more than 32 levels deep'] },
    });
  });
});

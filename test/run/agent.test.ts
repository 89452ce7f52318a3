import { describe, expect, test } from 'vitest';
import type { Check } from '../../src/check.ts';
import { defaultPolicy, type PolicyInForce } from '../../src/policy/in-force.ts';
import { type AgentOptions, createAgent } from '../../src/run/agent.ts';
import type { Report } from '../../src/run/report.ts';
import type { Schedule } from '../../src/run/schedule.ts';
import { fakeCheck } from '../support/fixtures/fake-check.ts';
import { fakeHost } from '../support/fixtures/fake-host.ts';
import { policyOf } from '../support/fixtures/policies.ts';

const now = new Date('2026-11-21T20:30:00Z');

/** Cron tasks that fire when the test says so. */
function fakeSchedule() {
  const tasks: { expression: string; run: () => void; stopped: boolean }[] = [];
  let overdueMs = 0;
  const schedule: Schedule = (expression, run) => {
    const task = { expression, run, stopped: false };
    tasks.push(task);
    return {
      overdueMs: () => overdueMs,
      stop: () => {
        task.stopped = true;
      },
    };
  };
  return {
    schedule,
    active: () => tasks.filter(({ stopped }) => !stopped),
    setOverdue: (ms: number) => {
      overdueMs = ms;
    },
  };
}

function agentWith(document: object = {}, given: Partial<AgentOptions> = {}) {
  const ran: string[] = [];
  const checks = ['first', 'second', 'third'].map((id) =>
    fakeCheck({
      id,
      examine: async () => {
        ran.push(id);
        return { status: 'pass', message: 'It is right' };
      },
    }),
  );
  const inForce = (next: object, version = 1): PolicyInForce => ({
    ...defaultPolicy(checks, now),
    source: 'twin',
    version,
    policy: policyOf(next, checks),
  });
  const { schedule, active, setOverdue } = fakeSchedule();
  const shown: { report: Report; urgent: boolean }[] = [];
  let current = inForce(document);
  const agent = createAgent({
    checks,
    host: fakeHost({ now: () => now }),
    policy: () => current,
    identity: { version: '1.2.3', startedAt: now.toISOString(), mode: 'edge' },
    schedule,
    random: () => 0,
    remembered: {},
    hub: () => ({ hub: 'connecting' }),
    ...given,
  });
  agent.subscribe({ show: (report, urgent) => void shown.push({ report, urgent }) });
  const adopt = (next: PolicyInForce) => {
    const before = current;
    current = next;
    agent.policyChanged(before);
  };
  /** What was ran at since the last time. */
  const newRuns = async () => {
    // Runs start in promises; all of this happens within a turn or two of the loop.
    for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
    return ran.splice(0).toSorted();
  };
  return { agent, adopt, policy: () => current, active, setOverdue, inForce, newRuns, shown };
}

const own = { checks: { second: { schedule: '0 4 * * *' } } };

describe('the schedule', () => {
  test('runs every check at the start', async () => {
    const { agent, newRuns } = agentWith();
    agent.start();
    expect(await newRuns()).toEqual(['first', 'second', 'third']);
    agent.stop();
  });

  test('is one task for all checks that share a line, and one for each other line', async () => {
    const { agent, active, newRuns } = agentWith(own);
    agent.start();
    await newRuns();
    expect(active().map(({ expression }) => expression)).toEqual(['*/5 * * * *', '0 4 * * *']);
    active()[0]?.run();
    expect(await newRuns()).toEqual(['first', 'third']);
    active()[1]?.run();
    expect(await newRuns()).toEqual(['second']);
    agent.stop();
  });

  test('leaves out what is switched off', async () => {
    const { agent, active, newRuns } = agentWith({ checks: { first: { enabled: false } } });
    agent.start();
    await newRuns();
    active()[0]?.run();
    expect(await newRuns()).toEqual(['second', 'third']);
    agent.stop();
  });

  test('ends with the agent', () => {
    const { agent, active } = agentWith();
    agent.start();
    agent.stop();
    expect(active()).toEqual([]);
  });
});

describe('a new policy', () => {
  test.each<[string, object, string[]]>([
    [
      'the parameters of one check',
      { checks: { second: { enabled: true, schedule: '1 * * * *' } } },
      ['second'],
    ],
    [
      'an exception for one check',
      { exceptions: [{ check: 'third', target: 'one', because: 'so' }] },
      ['third'],
    ],
    ['nothing of any check', { jitterSeconds: 1 }, []],
    ['one check, by switching it off', { checks: { first: { enabled: false } } }, []],
  ])('that changes %s runs only what it changes', async (_, next, expected) => {
    const { agent, adopt, inForce, newRuns } = agentWith();
    agent.start();
    await newRuns();
    adopt(inForce(next, 2));
    expect(await newRuns()).toEqual(expected);
    agent.stop();
  });

  test('that switches a check off shows in the report at once', async () => {
    const { agent, adopt, inForce, newRuns } = agentWith();
    agent.start();
    await newRuns();
    adopt(inForce({ checks: { first: { enabled: false } } }, 2));
    await newRuns();
    expect(agent.report().checks.first).toMatchObject({ status: 'skip' });
    agent.stop();
  });

  test('puts its schedule in the place of the old one', async () => {
    const { agent, adopt, inForce, active, newRuns } = agentWith();
    agent.start();
    adopt(inForce({ schedule: '*/7 * * * *' }, 2));
    await newRuns();
    expect(active().map(({ expression }) => expression)).toEqual(['*/7 * * * *']);
    agent.stop();
  });

  test('that is the same one, or was refused, runs nothing but is shown', async () => {
    const { agent, adopt, policy, active, newRuns, shown } = agentWith();
    agent.start();
    await newRuns();
    const [task] = active();
    shown.length = 0;
    adopt({ ...policy(), version: 2, accepted: false, problems: ['shedule: unknown key'] });
    expect(await newRuns()).toEqual([]);
    expect(active()).toEqual([task]);
    expect(shown).toMatchObject([{ urgent: true, report: { policy: { version: 2, accepted: false } } }]);
    agent.stop();
  });
});

test('the report follows the order of the registry and names the agent', async () => {
  const { agent } = agentWith({ note: 'a note' });
  const report = await agent.runChecks();
  expect(Object.keys(report.checks)).toEqual(['first', 'second', 'third']);
  expect(report).toMatchObject({
    generatedAt: now.toISOString(),
    agent: { version: '1.2.3', mode: 'edge', hub: 'connecting' },
    policy: { source: 'twin', version: 1, accepted: true, problems: [], note: 'a note' },
    summary: { status: 'pass', pass: 3 },
  });
});

test('only the requested checks run, and the report contains no others', async () => {
  const { agent, newRuns, shown } = agentWith();
  const report = await agent.runChecks(['second']);
  expect(await newRuns()).toEqual(['second']);
  expect(Object.keys(report.checks)).toEqual(['second']);
  expect(shown.map(({ urgent }) => urgent)).toEqual([true]);
});

test('a requested check is answered alone, and shown with the rest', async () => {
  const { agent, shown } = agentWith();
  await agent.runChecks();
  const report = await agent.runChecks(['third', 'first']);
  expect(Object.keys(report.checks)).toEqual(['first', 'third']);
  expect(report.summary).toMatchObject({ status: 'pass', pass: 2, problems: 0, pending: [] });
  expect(agent.report().summary.pass).toBe(3);
  expect(Object.keys(shown.at(-1)?.report.checks ?? {})).toEqual(['first', 'second', 'third']);
});

test('a scheduled run is shown without haste', async () => {
  const { agent, newRuns, shown } = agentWith();
  agent.start();
  await newRuns();
  expect(shown.map(({ urgent }) => urgent)).toEqual([false, false, false]);
  agent.stop();
});

describe('a check that watches for events', () => {
  test('runs alone on a trigger, as by its schedule, and logs why', async () => {
    const triggers: { id: string; signal: AbortSignal; runNow: (why: string) => void }[] = [];
    const reasons: string[][] = [];
    const given = ['first', 'second'].map((id) =>
      fakeCheck({ id, trigger: (_host, runNow, signal) => void triggers.push({ id, signal, runNow }) }),
    );
    const { agent, newRuns, shown } = agentWith(
      {},
      { checks: given, onTrigger: (...why) => reasons.push(why) },
    );
    expect(triggers).toEqual([]);
    agent.start();
    await newRuns();
    shown.length = 0;
    triggers[1]?.runNow('The clock was set');
    await newRuns();
    expect(reasons).toEqual([['second', 'The clock was set']]);
    expect(shown.map(({ urgent }) => urgent)).toEqual([false]);
    agent.stop();
    expect(triggers.map(({ signal }) => signal.aborted)).toEqual([true, true]);
  });
});

test('a refused policy runs only the checks that report about it', async () => {
  const ran: string[] = [];
  const check = (id: string, uses: Check['uses']) =>
    fakeCheck({
      id,
      uses,
      examine: async () => {
        ran.push(id);
        return { status: 'pass', message: 'It is right' };
      },
    });
  const { adopt, inForce, newRuns } = agentWith(
    {},
    { checks: [check('first', ['policyOutcome']), check('second', [])] },
  );
  adopt({ ...inForce({}), accepted: false, problems: ['one is wrong'] });
  await newRuns();
  expect(ran).toEqual(['first']);
});

test('a report names the checks that have not run yet', async () => {
  const { agent } = agentWith();
  expect(agent.report().summary.pending).toEqual(['first', 'second', 'third']);
  await agent.runChecks(['second']);
  expect(agent.report().summary.pending).toEqual(['first', 'third']);
});

test('it is ready once every check has run, those switched off included', async () => {
  const { agent } = agentWith({ checks: { third: { enabled: false } } });
  expect(agent.notReady()).toBe('waiting for the first run of first, second, third');
  await agent.runChecks(['first', 'third']);
  expect(agent.notReady()).toBe('waiting for the first run of second');
  await agent.runChecks(['second']);
  expect(agent.notReady()).toBeUndefined();
});

test('findings of an earlier process do not count as a run of this one', () => {
  const since = now.toISOString();
  const { agent } = agentWith({}, { remembered: { first: { since, findings: [] } } });
  expect(agent.notReady()).toContain('first');
  expect(agent.report().checks).toEqual({});
});

test.each([
  [0, undefined],
  [120_000, undefined],
  [120_001, 'the next run is 120 s overdue'],
  [3_600_000, 'the next run is 3600 s overdue'],
])('overdue by %d ms, the loop is stuck: %s', (ms, expected) => {
  const { agent, setOverdue } = agentWith();
  expect(agent.stuck()).toBeUndefined();
  agent.start();
  setOverdue(ms);
  expect(agent.stuck()).toBe(expected);
  agent.stop();
});

import { setImmediate } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Status, Verdict } from '../../src/check.ts';
import { connectCloud, createStoredHub, hubFacts, hubLink } from '../../src/cloud/cloud.ts';
import { createCredentials } from '../../src/host/edge/credentials.ts';
import type { Hub, HubHandlers } from '../../src/hub/hub.ts';
import type { Json } from '../../src/hub/merge-patch.ts';
import type { OutputMessage } from '../../src/hub/session.ts';
import type { HubStatus } from '../../src/hub/status.ts';
import { openPolicyKeeper } from '../../src/policy/keeper.ts';
import { createAgent } from '../../src/run/agent.ts';
import type { StateFile } from '../../src/state/state-file.ts';
import { fakeCheck } from '../support/fixtures/fake-check.ts';
import { fakeHost } from '../support/fixtures/fake-host.ts';
import { logLines } from '../support/log.ts';
import { deviceForEach, withEnvironment } from '../support/servers/hub.ts';
import { eventually } from '../support/servers/simulator.ts';

const now = () => new Date('2026-11-21T20:30:00Z');

/** A state file in memory. */
function stateOf(saved: Readonly<Record<string, unknown>> = {}) {
  const values = new Map(Object.entries(saved));
  const state: StateFile = {
    get: (name) => values.get(name),
    set: (name, value) => void values.set(name, value),
    flush: async () => {},
    problem: () => undefined,
  };
  return { state, saved: () => Object.fromEntries(values) };
}

/** A hub that keeps what it is given, and hands out the handlers it was started with. */
function fakeHub() {
  const reports: { properties: Json; minIntervalSeconds: number; urgent: boolean }[] = [];
  const messages: OutputMessage[] = [];
  let handlers: HubHandlers | undefined;
  const hub: Hub = {
    start(given) {
      handlers = given;
    },
    status: () => ({ state: 'connected', since: now(), seconds: 1 }),
    watch: () => {},
    figures: () => ({ lastSuccess: undefined, patches: 0, patchBytes: 0 }),
    report: (properties, minIntervalSeconds, urgent) =>
      void reports.push({ properties, minIntervalSeconds, urgent }),
    send: (message) => void messages.push(message),
    sentAt: () => undefined,
    close: async () => {},
  };
  const started = (): HubHandlers => {
    if (!handlers) throw new Error('the hub was not started');
    return handlers;
  };
  return { hub, reports, messages, started };
}

const broken = (status: 'warn' | 'fail'): Verdict => ({
  status,
  reason: 'broken',
  message: `It is ${status}`,
  remedy: 'Mend it',
});

/** An agent with one check, connected to a fake hub as main connects them. */
async function connected() {
  let verdict: Verdict = { status: 'pass', message: 'It is right' };
  const checks = [fakeCheck({ examine: async () => verdict })];
  const { log } = logLines();
  const { state } = stateOf();
  const keeper = await openPolicyKeeper({ checks, file: undefined, state, connected: true, log, now });
  const agent = createAgent({
    checks,
    host: fakeHost({}),
    policy: keeper.inForce,
    identity: { version: '1.2.3', startedAt: now().toISOString(), mode: 'edge' },
    schedule: () => ({ overdueMs: () => 0, stop: () => {} }),
    remembered: {},
    hub: () => ({ hub: 'connected' }),
  });
  onTestFinished(() => agent.stop());
  keeper.subscribe(agent.policyChanged);
  const fake = fakeHub();
  const cloud = connectCloud({ hub: fake.hub, checks, keeper, agent, now });
  return {
    ...fake,
    cloud,
    agent,
    keeper,
    async runWith(next: Verdict) {
      verdict = next;
      await agent.runChecks();
    },
  };
}

describe('alerts', () => {
  test('carry the new and the previous status of each change', async () => {
    const { messages, runWith } = await connected();
    await runWith({ status: 'pass', message: 'It is right' });
    await runWith(broken('warn'));
    await runWith(broken('warn'));
    await runWith(broken('fail'));
    await runWith({ status: 'pass', message: 'It is right' });
    const transition = (previousStatus: Status, status: Status, severity: string) => ({
      output: 'alerts',
      body: expect.objectContaining({ check: 'fake', target: 'one', status, previousStatus }),
      properties: { check: 'fake', target: 'one', status, previousStatus, severity },
    });
    expect(messages).toEqual([
      transition('pass', 'warn', 'warning'),
      transition('warn', 'fail', 'error'),
      transition('fail', 'pass', 'info'),
    ]);
  });
});

describe('a policy in the twin', () => {
  const desired = { policy: { note: 'ours' }, $version: 3 };

  test('is reported exactly once when it is accepted', async () => {
    const { reports, started } = await connected();
    started().onDesired(desired);
    await setImmediate();
    expect(reports).toEqual([
      expect.objectContaining({
        properties: expect.objectContaining({
          policy: { value: { note: 'ours' }, ac: 200, av: 3, ad: expect.any(String) },
        }),
        urgent: true,
      }),
    ]);
  });

  test('is reported exactly once when it is refused', async () => {
    const { reports, started } = await connected();
    started().onDesired({ policy: { nonsense: 1 }, $version: 4 });
    await setImmediate();
    expect(reports.map(({ properties }) => properties.policy)).toEqual([
      expect.objectContaining({ ac: 400, av: 4 }),
    ]);
  });

  test('is acknowledged again, exactly once, when the same twin is read again', async () => {
    const { reports, started } = await connected();
    started().onDesired(desired);
    reports.length = 0;
    started().onDesired(desired);
    await setImmediate();
    expect(reports).toHaveLength(1);
    expect(reports[0]).toMatchObject({ properties: { policy: { ac: 200, av: 3 } }, urgent: true });
  });
});

test('firstTwin settles once the twin was read, and not before', async () => {
  const { cloud, keeper, started } = await connected();
  let settled = false;
  const settling = cloud.firstTwin.then(() => {
    settled = true;
  });
  await setImmediate();
  expect(settled).toBe(false);
  started().onDesired({ policy: { note: 'ours' }, $version: 3 });
  await settling;
  // With the policy already in force.
  expect(keeper.inForce()).toMatchObject({ source: 'twin', version: 3 });
});

test.each<[Omit<HubStatus, 'seconds'>, object]>([
  [{ state: 'connecting', since: now() }, { hub: 'connecting' }],
  [
    { state: 'offline', since: now(), problem: { reason: 'not_authorized', message: 'Refused' } },
    { hub: 'offline', hubProblem: 'Refused' },
  ],
  [
    { state: 'connected', since: now(), notice: 'Over WebSocket' },
    { hub: 'connected', hubProblem: 'Over WebSocket' },
  ],
  [
    { state: 'connected', since: now(), notice: 'Over WebSocket', takeover: 'Another instance' },
    { hub: 'connected', hubProblem: 'Another instance' },
  ],
  [
    {
      state: 'connected',
      since: now(),
      notice: 'Over WebSocket',
      troubles: [
        { use: 'reports', seconds: 9, message: 'Reports are rejected' },
        { use: 'messages', seconds: 5, message: 'A message got no answer' },
      ],
    },
    { hub: 'connected', hubProblem: 'Reports are rejected; A message got no answer' },
  ],
])('the report has the state of the hub: %j', (status, facts) => {
  expect(hubFacts({ ...status, seconds: 7 })).toEqual({ hubSince: '2026-11-21T20:30:00.000Z', ...facts });
});

test('checks see whether there is a connection, for how long, and why not', () => {
  const problem = { reason: 'not_authorized', message: 'Refused' } as const;
  expect(hubLink({ state: 'offline', since: now(), seconds: 7, problem })).toEqual({
    connected: false,
    seconds: 7,
    problem,
  });
  const troubles = [{ use: 'reports', seconds: 9, message: 'Reports are rejected' }] as const;
  expect(hubLink({ state: 'connected', since: now(), seconds: 8, takeover: 'Another', troubles })).toEqual({
    connected: true,
    seconds: 8,
    takeover: 'Another',
    troubles,
  });
});

test('a heartbeat is a report that is not urgent', async () => {
  const { cloud, reports, runWith } = await connected();
  await runWith({ status: 'pass', message: 'It is right' });
  reports.length = 0;
  cloud.beat();
  expect(reports).toMatchObject([
    { properties: { heartbeat: '2026-11-21T20:30:00.000Z' }, minIntervalSeconds: 60, urgent: false },
  ]);
});

test('the hub is started with the direct methods, which reach the agent', async () => {
  const { agent, started } = await connected();
  const { methods } = started();
  expect(Object.keys(methods)).toEqual(['runChecks', 'getReport', 'validatePolicy']);
  expect(await methods.runChecks?.({})).toEqual({ status: 200, payload: agent.report() });
  expect(agent.report().checks.fake?.status).toBe('pass');
});

describe('a hub with state', () => {
  const { reported, counters, set, simulator } = deviceForEach({ policy: {} });

  function storedHub(saved: Readonly<Record<string, unknown>>, flush = async () => {}) {
    withEnvironment(simulator().environment);
    const file = stateOf(saved);
    file.state.flush = flush;
    const hub = createStoredHub({
      credentials: createCredentials(process.env, () => new Date()),
      transport: 'mqtt',
      state: file.state,
      log: logLines().log,
      now,
    });
    onTestFinished(() => hub.close(AbortSignal.abort()));
    hub.start({ methods: {}, onDesired: () => {} });
    return { hub, ...file };
  }

  test('takes differences from what was acknowledged to an earlier process', async () => {
    // Offline edgeHub does not know what is reported, so only the saved copy can be compared with.
    await set({ twin: 'offline' });
    const { hub } = storedHub({ reported: { a: 1, b: 1 }, alerts: [] });
    hub.report({ a: 1, b: 2 }, 0, false);
    await eventually(() => hub.figures().patches).toBe(1);
    expect(hub.figures().patchBytes).toBe('{"b":2}'.length);
    expect(reported()).toMatchObject({ b: 2 });
  });

  test('saves what was acknowledged', async () => {
    const { hub, saved } = storedHub({});
    hub.report({ a: 1 }, 0, false);
    await eventually(() => saved().reported).toEqual({ a: 1 });
    hub.report({ a: 2, b: 1 }, 0, false);
    await eventually(() => saved().reported).toEqual({ a: 2, b: 1 });
    expect(counters().reportedUpdates).toBe(2);
  });

  test('sends the alerts that an earlier process could not send, and forgets each one sent', async () => {
    const alert = (body: number) => ({ output: 'alerts', body, properties: { check: 'diskSpace' } });
    const { saved } = storedHub({ alerts: [alert(1), alert(2)] });
    await eventually(() => simulator().edgeHub.messages()).toMatchObject([alert(1), alert(2)]);
    await eventually(() => saved().alerts).toEqual([]);
  });

  test('saves alerts that cannot be sent yet', async () => {
    await set({ down: true });
    const { hub, saved } = storedHub({});
    const alert = { output: 'alerts', body: 1, properties: {} };
    hub.send(alert);
    expect(saved().alerts).toEqual([alert]);
  });

  test('sends a hundred alerts of those that piled up, and one message in place of the others', async () => {
    await set({ down: true });
    const { hub } = storedHub({});
    for (let body = 1; body <= 150; body += 1) hub.send({ output: 'alerts', body, properties: {} });
    await set({ down: false });
    await eventually(() => simulator().edgeHub.messages()).toHaveLength(101);
    expect(simulator().edgeHub.messages()[0]).toMatchObject({
      body: { check: 'hubConnection', leftOut: 50 },
      properties: { check: 'hubConnection', leftOut: '50' },
    });
    expect(simulator().edgeHub.messages().at(-1)).toMatchObject({ body: 150 });
  });

  test('writes its state before it acknowledges a policy, and sends the report even if that fails', async () => {
    const order: string[] = [];
    const { hub } = storedHub({}, async () => {
      order.push(`saved, ${reported().policy === undefined ? 'not acknowledged' : 'acknowledged'}`);
      throw new Error('the disk is full');
    });
    hub.report({ policy: { av: 1 } }, 0, true);
    await eventually(reported).toMatchObject({ policy: { av: 1 } });
    hub.report({ summary: 1 }, 0, true);
    await eventually(reported).toMatchObject({ summary: 1 });
    expect(order).toEqual(['saved, not acknowledged']);
  });

  test.each([
    ['a list', []],
    ['a text', 'text'],
  ])('ignores saved values of another shape: %s', async (_what, value) => {
    const { hub } = storedHub({ reported: value, alerts: { alert: value } });
    hub.report({ a: 1 }, 0, false);
    await eventually(reported).toMatchObject({ a: 1 });
    expect(simulator().edgeHub.messages()).toEqual([]);
  });
});

import { describe, expect, onTestFinished, test } from 'vitest';
import {
  connectionErrors,
  deviceForEach,
  patientTimings,
  shortTimings,
  startedHub,
  withEnvironment,
} from '../support/servers/hub.ts';
import { eventually } from '../support/servers/simulator.ts';
import { tcpServer } from '../support/servers/tcp.ts';

const { connectedHub, counters, hubOf, reported, set, simulator } = deviceForEach({ policy: {} });

describe('the first connection', () => {
  test('has the state connecting until it is open or has failed', async () => {
    expect(hubOf().state()).toBe('connecting');
  });

  test.each([
    ['edgeHub is down', { down: true }, /edgeHub: connection refused \(127\.0\.0\.1:\d+\)$/],
    ['the token is rejected', { rejectSas: true }, /^edgeHub refused the module's token$/],
    [
      'the certificate has expired',
      { certificate: 'expired' },
      /^edgeHub's certificate was rejected: certificate has expired$/,
    ],
    [
      'the certificate is for another name',
      { certificate: 'wrongName' },
      /^edgeHub's certificate was rejected: it is for [^ ]+, not for localhost$/,
    ],
    [
      'edgeHub has too many clients',
      { full: true },
      /^edgeHub refused the connection: it is unavailable, or has too many clients$/,
    ],
    [
      'the twin cannot be read',
      { twin: 'empty500' },
      /^edgeHub answered the request for the twin with status 500$/,
    ],
    [
      'the twin is malformed',
      { twin: 'malformed' },
      /^edgeHub's answer to the request for the twin cannot be read: \d+ bytes that are not valid JSON: at character \d+$/,
    ],
    [
      'the request for the twin gets no response',
      { twin: 'silent' },
      /^edgeHub accepted the connection, but not the request for the twin: No answer within 0.3 s$/,
    ],
  ] as const)('is retried while %s', async (_what, fault, error) => {
    await set(fault);
    const hub = hubOf({ timings: shortTimings });
    await eventually(() => connectionErrors(hub).length).toBeGreaterThan(1);
    expect(connectionErrors(hub)[0]).toMatch(error);
    expect(hub.state()).toBe('offline');
    await set({ down: false, rejectSas: false, certificate: 'valid', twin: 'normal', full: false });
    await eventually(hub.state).toBe('connected');
    expect(hub.documents).toEqual([{ policy: {}, $version: 1 }]);
  });

  test('is retried when the workload API does not exist yet', async () => {
    const { IOTEDGE_WORKLOADURI } = simulator().environment;
    const hub = hubOf();
    await hub.close(AbortSignal.abort());
    withEnvironment({ IOTEDGE_WORKLOADURI: `${IOTEDGE_WORKLOADURI}.absent` });
    const early = startedHub();
    await eventually(() => connectionErrors(early).length).toBeGreaterThan(0);
    expect(connectionErrors(early)[0]).toMatch(/no such file or directory$/);
    withEnvironment({ ...simulator().environment });
    await eventually(early.state).toBe('connected');
  });

  test('times out with a server that sends nothing, and is retried', async () => {
    const { port, connections } = await tcpServer((socket) => void socket.resume());
    withEnvironment({ ...simulator().environment, IOTEDGE_GATEWAYHOSTNAME: `localhost:${port}` });
    const hub = startedHub({ timings: { ...shortTimings, open: 0.2 } });
    await eventually(() => connectionErrors(hub)).toContainEqual(
      expect.stringContaining('No answer within 0.2 s'),
    );
    withEnvironment(simulator().environment);
    await eventually(hub.state).toBe('connected');
    await eventually(() => connections.every(({ destroyed }) => destroyed)).toBe(true);
  });
});

describe('a lost connection', () => {
  test.each([
    ['dropped', { dropConnections: true }],
    ['dropped with its MQTT session, as when edgeHub is recreated', { wipeSessions: true }],
  ])(
    'that was %s is replaced, and reports, pushes, methods and messages work again',
    async (_what, fault) => {
      const hub = await connectedHub({ methods: { ping: async () => ({ status: 200, payload: 'pong' }) } });
      hub.report({ a: 1 }, 60, true);
      await eventually(reported).toMatchObject({ a: 1 });
      await set(fault);
      await eventually(() => counters().connects).toBe(2);
      await eventually(() => counters().twinReads).toBe(2);

      hub.report({ a: 2 }, 60, true);
      await eventually(reported).toMatchObject({ a: 2 });
      simulator().edgeHub.patchDesired({ other: 1 });
      await eventually(() => hub.documents.at(-1)).toEqual({ policy: {}, other: 1, $version: 2 });
      expect(await simulator().admin('POST', '/methods/ping')).toMatchObject({ body: { payload: 'pong' } });
      hub.send({ output: 'alerts', body: 1, properties: {} });
      await eventually(() => simulator().edgeHub.messages()).toHaveLength(1);
      expect(counters().connects).toBe(2);
      expect(connectionErrors(hub)).toEqual([expect.stringMatching(/^The connection to edgeHub was lost/)]);
    },
  );

  test('is not assumed when only new connections would be rejected', async () => {
    const hub = await connectedHub();
    await set({ rejectSas: true, certificate: 'expired' });
    hub.report({ a: 1 }, 60, true);
    await eventually(reported).toMatchObject({ a: 1 });
    expect(counters().connects).toBe(1);
  });

  test('is shown as offline, and reports made meanwhile are sent in one patch', async () => {
    const hub = await connectedHub();
    hub.report({ a: 1 }, 60, true);
    await eventually(reported).toMatchObject({ a: 1 });
    await set({ down: true });
    await eventually(hub.state).toBe('offline');
    for (let a = 2; a <= 9; a += 1) hub.report({ a }, 60, true);
    await set({ down: false });
    await eventually(reported).toEqual({ a: 9, $version: 3 });
    expect(counters().reportedUpdates).toBe(2);
  });
});

test('replacing a session before its token expires is no outage: nothing is logged and nothing is lost', async () => {
  const hub = await connectedHub({
    methods: { ping: async () => ({ status: 200, payload: 'pong' }) },
    timings: { ...patientTimings, renew: 0.2 },
    keys: ['round'],
  });
  const states = new Set<string>();
  const watching = setInterval(() => states.add(hub.state()), 1);
  onTestFinished(() => clearInterval(watching));

  for (let round = 1; round <= 10; round += 1) {
    hub.report({ round }, 0, true);
    hub.send({ output: 'alerts', body: round, properties: {} });
    await eventually(reported).toMatchObject({ round });
    simulator().edgeHub.patchDesired({ round });
    await eventually(() => hub.documents.at(-1)).toMatchObject({ round });
    const { connects } = counters();
    await eventually(() => counters().connects).toBeGreaterThan(connects);
  }
  await eventually(() =>
    simulator()
      .edgeHub.messages()
      .map(({ body }) => body),
  ).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect([...states]).toEqual(['connected']);
  expect(hub.logged.map(({ text }) => text)).toEqual(['Connected to edgeHub']);
});

describe('resources', () => {
  /** The number of sockets or timers of this process. Those of the test runner do not grow. */
  const open = (kind: RegExp) => process.getActiveResourcesInfo().filter((name) => kind.test(name)).length;

  test('fifty lost connections and a closed one leave no socket and no timer', async () => {
    const before = { sockets: open(/TCP|TLS|Pipe/), timers: open(/Timeout/) };
    // A negative value means no wait between attempts.
    const hub = await connectedHub({ random: () => -1 });
    for (let round = 1; round <= 50; round += 1) {
      await set(round % 2 ? { dropConnections: true } : { wipeSessions: true });
      await expect.poll(() => counters().connects, { timeout: 10_000, interval: 5 }).toBe(round + 1);
      await expect.poll(hub.state, { timeout: 10_000, interval: 5 }).toBe('connected');
    }
    // Both ends of a connection are in this process.
    await eventually(() => open(/TCP|TLS|Pipe/)).toBeLessThanOrEqual(before.sockets + 2);
    await hub.close(AbortSignal.timeout(5000));
    await eventually(() => open(/TCP|TLS|Pipe/)).toBeLessThanOrEqual(before.sockets);
    await eventually(() => open(/Timeout/)).toBeLessThanOrEqual(before.timers);
  }, 60_000);

  test('failed attempts leave no socket and no timer', async () => {
    const before = { sockets: open(/TCP|TLS|Pipe/), timers: open(/Timeout/) };
    for (const fault of [{ rejectSas: true }, { certificate: 'expired' }, { twin: 'empty500' }] as const) {
      await set(fault);
      const hub = hubOf({ random: () => -1 });
      await eventually(() => connectionErrors(hub).length).toBeGreaterThan(2);
      await hub.close(AbortSignal.abort());
    }
    await eventually(() => open(/TCP|TLS|Pipe/)).toBeLessThanOrEqual(before.sockets);
    await eventually(() => open(/Timeout/)).toBeLessThanOrEqual(before.timers);
  });
});

import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { never, within } from '../../src/deadline.ts';
import { createCredentials } from '../../src/host/edge/credentials.ts';
import { createOpenSession, type TransportChoice } from '../../src/hub/mqtt/open-session.ts';
import { connectionErrors, startedHub, withEnvironment } from '../support/servers/hub.ts';
import { eventually, simulated } from '../support/servers/simulator.ts';
import { refusedPort, silentServer } from '../support/servers/tcp.ts';

let simulator: Awaited<ReturnType<typeof simulated>>;
beforeEach(async () => {
  simulator = await simulated({ desired: { policy: {} }, webSocketPort: 0 });
});
afterEach(() => simulator.close());

/** A hub whose edgeHub is reached on this port. */
function hubOn(port: number | undefined, transport: TransportChoice) {
  withEnvironment({ ...simulator.environment, IOTEDGE_GATEWAYHOSTNAME: `localhost:${port}` });
  const warnings: string[] = [];
  const open = createOpenSession({
    credentials: createCredentials(process.env, () => new Date()),
    transport,
    log: { warn: (_fields, text) => void warnings.push(text) },
  });
  return {
    ...startedHub({ open, methods: { ping: async () => ({ status: 200, payload: 'pong' }) } }),
    warnings,
  };
}

const webSocketPort = () => simulator.edgeHub.webSocketPort;
const refusedText = (port = webSocketPort()) =>
  `3 MQTT connections to edgeHub on port ${port} were refused or got no answer`;

test('reports, pushes, methods and messages work over WebSocket, with the trust bundle of the workload API', async () => {
  const hub = hubOn(webSocketPort(), 'mqttws');
  await eventually(hub.state).toBe('connected');
  hub.report({ a: 1 }, 60, true);
  await eventually(() => simulator.edgeHub.twin().reported).toMatchObject({ a: 1 });
  simulator.edgeHub.patchDesired({ other: 1 });
  await eventually(() => hub.documents.at(-1)).toEqual({ policy: {}, other: 1, $version: 2 });
  hub.send({ output: 'alerts', body: 1, properties: {} });
  await eventually(() => simulator.edgeHub.messages()).toHaveLength(1);
  await eventually(() => simulator.admin('POST', '/methods/ping')).toMatchObject({
    body: { payload: 'pong' },
  });
  expect(hub.status().notice).toBeUndefined();
  expect(connectionErrors(hub)).toEqual([]);
});

test('three refused connections lead to WebSocket, which is logged and reported', async () => {
  const hub = hubOn(webSocketPort(), 'auto');
  await eventually(hub.state).toBe('connected');
  expect(connectionErrors(hub)).toHaveLength(3);
  expect(hub.warnings).toEqual([`${refusedText()}, trying MQTT over WebSocket on port ${webSocketPort()}`]);
  expect(hub.status()).toMatchObject({
    state: 'connected',
    notice: `Connected over WebSocket on port ${webSocketPort()}: ${refusedText()}`,
  });
  expect(hub.status().problem).toBeUndefined();
});

const unused = {
  onAwait: () => {},
  onDesired: () => {},
  onMissed: () => {},
  onEnd: () => {},
  onError: () => {},
};

test('an edgeHub that does not answer is reported as such, and WebSocket is tried after three times', async () => {
  const { port } = await silentServer();
  withEnvironment({ ...simulator.environment, IOTEDGE_GATEWAYHOSTNAME: `localhost:${port}` });
  const warnings: string[] = [];
  const open = createOpenSession({
    credentials: createCredentials(process.env, () => new Date()),
    transport: 'auto',
    log: { warn: (_fields, text) => void warnings.push(text) },
  });
  const inTurn = `over MQTT on port ${port}, which is tried in turn with WebSocket on port ${port}`;
  for (const suffix of ['', '', ` ${inTurn}`]) {
    const opening = within(0.5, never, (signal) => open({}, unused, signal));
    const message = `edgeHub did not answer${suffix}`;
    await expect(opening).rejects.toMatchObject({ reason: 'offline', message });
  }
  expect(warnings).toEqual([`${refusedText(port)}, trying MQTT over WebSocket on port ${port}`]);
});

test('after six hours over WebSocket MQTT is tried once, and a refusal leads straight back', async () => {
  withEnvironment({ ...simulator.environment, IOTEDGE_GATEWAYHOSTNAME: `localhost:${webSocketPort()}` });
  let ms = 0;
  const warnings: string[] = [];
  const open = createOpenSession({
    credentials: createCredentials(process.env, () => new Date()),
    transport: 'auto',
    log: { warn: (_fields, text) => void warnings.push(text) },
    monotonic: () => ms,
  });
  const attempt = async () => {
    const session = await open({}, unused, AbortSignal.timeout(10_000));
    onTestFinished(() => session.close(AbortSignal.timeout(1000)).catch(() => undefined));
    return session.notice;
  };
  for (const _ of [1, 2, 3]) await expect(attempt()).rejects.toThrow();
  const notice = await attempt();
  ms += 6 * 3_600_000;
  await expect(attempt()).rejects.toThrow();
  expect(await attempt()).toBe(notice);
  expect(warnings).toHaveLength(1);
});

/** The errors of attempts on a gateway without a port of its own, while edgeHub is down. */
async function errorsOn(host: string, attempts: number) {
  const warnings: string[] = [];
  const open = createOpenSession({
    credentials: {
      name: 'a test',
      failure: 'offline',
      get: async () => ({ host: 'hub.test', gateway: host, device: 'd', module: 'm', token: 't' }),
    },
    transport: 'auto',
    log: { warn: (_fields, text) => void warnings.push(text) },
  });
  const errors: string[] = [];
  for (let i = 0; i < attempts; i += 1) {
    const opening = open({}, unused, AbortSignal.timeout(10_000));
    await opening.catch((error: Error) => void errors.push(error.message));
  }
  return { errors, warnings };
}

test('without a port in the gateway’s name, the ports are 8883 and 443, and the error names what is tried', async () => {
  // No TCP connection to this address is possible.
  const { errors, warnings } = await errorsOn('255.255.255.255', 8);
  const failed = 'Could not open the connection to edgeHub';
  const mqtt = `${failed} over MQTT on port 8883, which is tried in turn with WebSocket on port 443`;
  const webSocket = `${failed} over WebSocket on port 443, which is tried in turn with MQTT on port 8883`;
  // One by one, so that an edgeHub which returns with one of them is found by the second attempt.
  expect(errors).toEqual([failed, failed, mqtt, webSocket, mqtt, webSocket, mqtt, webSocket]);
  expect(warnings).toEqual([`${refusedText(8883)}, trying MQTT over WebSocket on port 443`]);
});

test('while edgeHub is down, the problem says that WebSocket is tried', async () => {
  const port = await refusedPort();
  const hub = hubOn(port, 'auto');
  await eventually(() => hub.status().problem?.message).toContain(`WebSocket on port ${port}`);
});

test('MQTT is tried again when WebSocket is refused, too, and the change is logged once', async () => {
  const port = await refusedPort();
  const hub = hubOn(port, 'auto');
  await eventually(() => connectionErrors(hub).length).toBeGreaterThan(8);
  expect(hub.warnings).toHaveLength(1);
  expect(hub.status().problem).toMatchObject({ reason: 'offline' });
});

test.each([
  ['a token that is refused', { rejectSas: true }, 'not_authorized'],
  ['a certificate that is rejected', { certificate: 'expired' }, 'certificate_rejected'],
  ['an edgeHub that has too many clients', { full: true }, 'offline'],
] as const)('WebSocket is not tried because of %s', async (_what, fault, reason) => {
  await simulator.edgeHub.setFaults(fault);
  const hub = hubOn(simulator.hubPort, 'auto');
  await eventually(() => connectionErrors(hub).length).toBeGreaterThan(4);
  expect(hub.warnings).toEqual([]);
  expect(hub.status().problem?.reason).toBe(reason);
});

test('a certificate that is rejected over WebSocket is reported as such', async () => {
  const other = await simulated({ webSocketPort: 0 });
  onTestFinished(other.close);
  const hub = hubOn(other.edgeHub.webSocketPort, 'mqttws');
  await eventually(() => hub.status().problem).toEqual({
    reason: 'certificate_rejected',
    message: expect.stringMatching(/^edgeHub's certificate was rejected: .*certificate/),
  });
});

test.each(['mqtt', 'mqttws'] as const)(
  'a port that does not exist is an error with %s, not the end of the process',
  async (transport) => {
    const hub = hubOn(99_999, transport);
    await eventually(() => hub.status().problem?.message).toMatch(
      /^Could not open the connection to edgeHub( over WebSocket on port 99999)?: Could not connect to \w+:\/\/localhost:99999/,
    );
  },
);

test('a server that sends nothing does not keep a WebSocket open', async () => {
  const hub = hubOn(webSocketPort(), 'mqttws');
  await eventually(hub.state).toBe('connected');
  await simulator.edgeHub.setFaults({ reported: 'silent' });
  await hub.close(AbortSignal.timeout(200));
  await eventually(() => simulator.edgeHub.counters().connectedClients).toBe(0);
});

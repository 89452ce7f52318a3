import { connect } from 'node:tls';
import iotDevice from 'azure-iot-device';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { noFaults, parseFaults } from '../../../simulator/edge-hub/faults.ts';
import { answerWithin, eventually, simulated } from '../../support/servers/simulator.ts';

let simulator: Awaited<ReturnType<typeof simulated>>;
beforeEach(async () => {
  simulator = await simulated({ desired: { policy: {} } });
});
afterEach(() => simulator.close());

const set = async (change: object) =>
  expect(await simulator.admin('PUT', '/faults', change)).toMatchObject({ status: 200 });

async function opened() {
  const client = await simulator.client();
  await client.open();
  const twin = await client.getTwin();
  const read = () =>
    new Promise<unknown>((resolve, reject) => {
      client.getTwin((error, read) => (error ? reject(error) : resolve(read?.properties.desired)));
    });
  const report = (patch: object) =>
    new Promise<string>((resolve, reject) => {
      twin.properties.reported.update(patch, (error?: Error) =>
        error ? reject(error) : resolve('answered'),
      );
    });
  return { client, read, report };
}

const neverRetry = { shouldRetry: () => false, nextRetryTimeout: () => 0 };

const ping = () => simulator.admin('POST', '/methods/ping');

/** Subscribes to a method, which also makes the SDK reconnect by itself; after only reading a twin it does not. */
async function subscribeToPing(client: Awaited<ReturnType<typeof simulator.client>>) {
  client.onMethod('ping', (_request, response) => {
    response?.send(200, () => undefined);
  });
  await eventually(ping).toMatchObject({ status: 200 });
}

const connects = () => simulator.edgeHub.counters().connects;

describe('the fault reported', () => {
  test('empty400 rejects the patch, which the SDK treats as success', async () => {
    const { report } = await opened();
    await set({ reported: 'empty400' });
    expect(await report({ a: 1 })).toBe('answered');
    expect(simulator.edgeHub.twin().reported).toEqual({ $version: 1 });
    expect(simulator.lines.at(-1)).toBe('Rejected reported properties with 400: the fault "reported" is set');
  });

  test('body429 rejects the patch with a body', async () => {
    const { report } = await opened();
    await set({ reported: 'body429' });
    await expect(report({ a: 1 })).rejects.toThrow();
    expect(simulator.edgeHub.twin().reported).toEqual({ $version: 1 });
    expect(simulator.lines).toContain('Rejected reported properties with 429: the fault "reported" is set');
  });

  test('silent ignores the patch and sends no response', async () => {
    const { report } = await opened();
    await set({ reported: 'silent' });
    expect(await answerWithin(150, report({ a: 1 }))).toBe('no answer');
    expect(simulator.edgeHub.counters().reportedUpdates).toBe(1);
    expect(simulator.edgeHub.twin().reported).toEqual({ $version: 1 });
    await set({ reported: 'normal' });
    expect(await report({ a: 1 })).toBe('answered');
  });
});

describe('the fault twin', () => {
  test('offline returns an empty twin without $version', async () => {
    const { read } = await opened();
    await set({ twin: 'offline' });
    expect(JSON.stringify(await read())).toBe('{}');
  });

  test('silent sends no response', async () => {
    const { read } = await opened();
    await set({ twin: 'silent' });
    expect(await answerWithin(150, read())).toBe('no answer');
    expect(simulator.edgeHub.counters().twinReads).toBe(2);
  });
});

describe('the fault messages', () => {
  const message = () => new iotDevice.Message('{}');

  test('unacknowledged drops messages without a PUBACK, and continues with other requests', async () => {
    const { client, report } = await opened();
    await set({ messages: 'unacknowledged' });
    expect(await answerWithin(150, client.sendOutputEvent('alerts', message()))).toBe('no answer');
    expect(await report({ a: 1 })).toBe('answered');
    expect(simulator.edgeHub.counters().messages).toBe(1);
    expect(simulator.edgeHub.messages()).toEqual([]);
    // Closing a client with an unacknowledged message waits; a new connection sends the message again.
    await set({ messages: 'normal', dropConnections: true });
    await eventually(() => simulator.edgeHub.messages().length).toBe(1);
  });

  test('unrouted acknowledges messages, drops them and counts that', async () => {
    const { client } = await opened();
    const dropped = async () =>
      (await (await fetch(simulator.edgeHubMetricsUrl)).text())
        .split('\n')
        .filter((line) => line.startsWith('edgehub_messages_dropped_total'));
    await client.sendOutputEvent('alerts', new iotDevice.Message('routed'));
    expect(await dropped()).toEqual([]);
    await set({ messages: 'unrouted' });
    await client.sendOutputEvent('alerts', new iotDevice.Message('unrouted'));
    expect(simulator.edgeHub.messages()).toHaveLength(1);
    expect(await dropped()).toEqual([
      expect.stringMatching(
        /reason="no_route",from="simulated-edge\/hardening",from_route_output="alerts".* 1$/,
      ),
    ]);
  });

  test('closes drops messages and closes the connection', async () => {
    const { client } = await opened();
    client.setRetryPolicy(neverRetry);
    const closed = new Promise((resolve) => client.once('disconnect', resolve));
    await set({ messages: 'closes' });
    client.sendOutputEvent('alerts', message(), () => undefined);
    await closed;
    expect(simulator.lines).toContain('Connection closed: the fault "messages" is set');
    expect(simulator.edgeHub.messages()).toEqual([]);
  });
});

describe('connecting', () => {
  test.each([
    ['rejectSas', { rejectSas: true }, /Not authorized error/],
    ['an expired certificate', { certificate: 'expired' }, /certificate has expired/],
    ['a certificate that is not yet valid', { certificate: 'notYetValid' }, /not yet valid/],
    ['a certificate for another name', { certificate: 'wrongName' }, /altnames/],
    ['full', { full: true }, /Server unavailable/],
    ['down', { down: true }, /ECONNREFUSED/],
  ])('fails with %s and works again without the fault', async (_what, fault, error) => {
    await set(fault);
    const client = await simulator.client();
    client.setRetryPolicy(neverRetry);
    await expect(client.open()).rejects.toThrow(error);
    await set({ rejectSas: false, certificate: 'valid', down: false, full: false });
    await expect((await simulator.client()).open()).resolves.toBeDefined();
  });

  test('continues on open connections when the certificate changes', async () => {
    const { report } = await opened();
    await set({ certificate: 'expired' });
    expect(await report({ a: 1 })).toBe('answered');
    expect(connects()).toBe(1);
  });

  test('is interrupted on open connections by down', async () => {
    await opened();
    await set({ down: true });
    await eventually(() => simulator.edgeHub.counters().connectedClients).toBe(0);
  });
});

describe('one-shot faults', () => {
  test('dropConnections closes connections and keeps sessions, so the SDK recovers', async () => {
    const { client, read } = await opened();
    await subscribeToPing(client);
    await set({ dropConnections: true });
    await eventually(connects).toBe(2);
    expect(await read()).toMatchObject({ $version: 1 });
    expect(simulator.edgeHub.faults()).not.toHaveProperty('dropConnections');
  });

  test('wipeSessions deletes sessions: the SDK reconnects and serves methods, but receives no twin responses', async () => {
    const { client, read, report } = await opened();
    await subscribeToPing(client);
    await set({ wipeSessions: true });
    await eventually(connects).toBe(2);
    await eventually(ping).toMatchObject({ status: 200 });

    expect(await answerWithin(150, read())).toBe('no answer');
    expect(await answerWithin(150, report({ a: 1 }))).toBe('no answer');
    // edgeHub processed both requests, but no client was subscribed to the responses.
    expect(simulator.edgeHub.counters()).toMatchObject({ twinReads: 2, reportedUpdates: 1 });
    expect(simulator.edgeHub.twin().reported).toEqual({ a: 1, $version: 2 });

    await client.close();
    const { read: readAgain } = await opened();
    expect(await readAgain()).toMatchObject({ $version: 1 });
  });

  test('wipeSessions closes a connection that has not sent a CONNECT yet', async () => {
    const { hubPort, rootCertificate } = simulator;
    const socket = connect({ host: 'localhost', port: hubPort, ca: rootCertificate });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    await set({ wipeSessions: true });
    await closed;
  });
});

describe('PUT /faults', () => {
  test('changes the given faults and keeps the others', async () => {
    await set({ reported: 'silent', rejectSas: true });
    await set({ rejectSas: false });
    expect(await simulator.admin('GET', '/faults')).toEqual({
      status: 200,
      body: { ...noFaults, reported: 'silent' },
    });
  });

  test('GET /faults returns every switch and setting', async () => {
    expect(await simulator.admin('GET', '/faults')).toEqual({
      status: 200,
      body: {
        reported: 'normal',
        twin: 'normal',
        messages: 'normal',
        workload: 'normal',
        rejectSas: false,
        certificate: 'valid',
        down: false,
        full: false,
        clockOffsetSeconds: 0,
        twinDelaySeconds: 20,
        workloadDelaySeconds: 5,
        reportDelaySeconds: 0,
        methodDelaySeconds: 3,
        reauthenticationSeconds: 300,
      },
    });
  });

  test.each([
    [{ explode: true }, 'reported, twin, messages, workload, rejectSas, certificate, down, full'],
    [{ explode: true }, 'dropConnections, wipeSessions, renewCertificate, pushDesired'],
    [{ reported: 'loud' }, 'normal, empty400, silent'],
    [{ rejectSas: 'yes' }, 'false, true'],
    [{ twinDelaySeconds: '20' }, 'a number from 0 to 3600, got "20"'],
    [{ twinDelaySeconds: -1 }, 'a number from 0 to 3600, got -1'],
    [{ reauthenticationSeconds: 0 }, 'a number from 0.01 to 3600, got 0'],
    [{ pushDesired: {} }, 'a text, got {}'],
    [[], 'object'],
  ])('rejects %j and lists what is allowed', (body, message) => {
    expect(() => parseFaults(body)).toThrow(message);
  });
});

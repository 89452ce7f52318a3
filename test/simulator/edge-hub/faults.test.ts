import { connect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseFaults } from '../../../simulator/edge-hub/faults.ts';
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

const ping = () => simulator.admin('POST', '/methods/ping');

/** Also makes the SDK connect again by itself, which it does not for a twin that was only read. */
async function answersPing(client: Awaited<ReturnType<typeof simulator.client>>) {
  client.onMethod('ping', (_request, response) => {
    response?.send(200, () => undefined);
  });
  await eventually(ping).toMatchObject({ status: 200 });
}

const connects = () => simulator.edgeHub.counters().connects;

describe('reported answers', () => {
  test('empty400: the SDK sees no error, and nothing was taken', async () => {
    const { report } = await opened();
    await set({ reported: 'empty400' });
    expect(await report({ a: 1 })).toBe('answered');
    expect(simulator.edgeHub.twin().reported).toEqual({ $version: 1 });
  });

  test('silent: no answer comes, and nothing was taken', async () => {
    const { report } = await opened();
    await set({ reported: 'silent' });
    expect(await answerWithin(150, report({ a: 1 }))).toBe('no answer');
    expect(simulator.edgeHub.counters().reportedUpdates).toBe(1);
    expect(simulator.edgeHub.twin().reported).toEqual({ $version: 1 });
    await set({ reported: 'normal' });
    expect(await report({ a: 1 })).toBe('answered');
  });
});

describe('twin answers', () => {
  test('offline: an empty twin without $version', async () => {
    const { read } = await opened();
    await set({ twin: 'offline' });
    expect(JSON.stringify(await read())).toBe('{}');
  });

  test('silent: no answer comes', async () => {
    const { read } = await opened();
    await set({ twin: 'silent' });
    expect(await answerWithin(150, read())).toBe('no answer');
    expect(simulator.edgeHub.counters().twinReads).toBe(2);
  });
});

describe('connecting', () => {
  test.each([
    ['rejectSas', { rejectSas: true }, /Not authorized error/],
    ['an expired certificate', { certificate: 'expired' }, /certificate has expired/],
    ['a certificate that is not yet valid', { certificate: 'notYetValid' }, /not yet valid/],
    ['a certificate for another name', { certificate: 'wrongName' }, /altnames/],
    ['down', { down: true }, /ECONNREFUSED/],
  ])('fails with %s, and works again afterwards', async (_what, fault, error) => {
    await set(fault);
    await expect((await simulator.client()).open()).rejects.toThrow(error);
    await set({ rejectSas: false, certificate: 'valid', down: false });
    await expect((await simulator.client()).open()).resolves.toBeDefined();
  });

  test('a change of certificate leaves open connections alone', async () => {
    const { report } = await opened();
    await set({ certificate: 'expired' });
    expect(await report({ a: 1 })).toBe('answered');
    expect(connects()).toBe(1);
  });

  test('down drops open connections', async () => {
    await opened();
    await set({ down: true });
    await eventually(() => simulator.edgeHub.counters().connectedClients).toBe(0);
  });
});

describe('one-shots', () => {
  test('dropConnections ends connections and keeps sessions, so the SDK carries on', async () => {
    const { client, read } = await opened();
    await answersPing(client);
    await set({ dropConnections: true });
    await eventually(connects).toBe(2);
    expect(await read()).toMatchObject({ $version: 1 });
    expect(simulator.edgeHub.faults()).not.toHaveProperty('dropConnections');
  });

  test('wipeSessions forgets sessions: the SDK connects again, methods work, twin answers never arrive', async () => {
    const { client, read, report } = await opened();
    await answersPing(client);
    await set({ wipeSessions: true });
    await eventually(connects).toBe(2);
    await eventually(ping).toMatchObject({ status: 200 });

    expect(await answerWithin(150, read())).toBe('no answer');
    expect(await answerWithin(150, report({ a: 1 }))).toBe('no answer');
    // Both came in, and were answered to nobody.
    expect(simulator.edgeHub.counters()).toMatchObject({ twinReads: 2, reportedUpdates: 1 });
    expect(simulator.edgeHub.twin().reported).toEqual({ a: 1, $version: 2 });

    await client.close();
    const { read: readAnew } = await opened();
    expect(await readAnew()).toMatchObject({ $version: 1 });
  });

  test('drop a connection that has not said a word of MQTT yet', async () => {
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
  test('takes the switches it names, and leaves the others', async () => {
    await set({ reported: 'silent', rejectSas: true });
    await set({ rejectSas: false });
    expect(await simulator.admin('GET', '/faults')).toEqual({
      status: 200,
      body: { reported: 'silent', twin: 'normal', rejectSas: false, certificate: 'valid', down: false },
    });
  });

  test.each([
    [{ explode: true }, 'reported, twin, rejectSas, certificate, down, dropConnections, wipeSessions'],
    [{ reported: 'loud' }, 'normal, empty400, silent'],
    [{ rejectSas: 'yes' }, 'false, true'],
    [[], 'object'],
  ])('refuses %j and says what there is', (body, message) => {
    expect(() => parseFaults(body)).toThrow(message);
  });
});

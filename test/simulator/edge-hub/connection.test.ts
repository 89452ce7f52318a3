import { connect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { answerWithin, eventually, simulated } from '../../support/servers/simulator.ts';
import { rawClient } from './raw-client.ts';

let simulator: Awaited<ReturnType<typeof simulated>>;
beforeEach(async () => {
  simulator = await simulated();
});
afterEach(() => simulator.close());

const set = async (change: object) =>
  expect(await simulator.admin('PUT', '/faults', change)).toMatchObject({ status: 200 });
const answer = (requestId: string) => ({
  topic: `$iothub/twin/res/200/?$rid=${requestId}`,
  payload: expect.any(String),
});

describe('the messages of a connection', () => {
  test('are processed one after another: a method answer waits behind a slow read', async () => {
    const client = await rawClient(simulator);
    await client.subscribe('$iothub/methods/POST/#');
    await set({ twin: 'slow', twinDelaySeconds: 3600 });
    await client.readTwin('1');
    await eventually(() => simulator.edgeHub.counters().twinReads).toBe(1);
    const invoked = simulator.admin('POST', '/methods/ping?responseTimeoutInSeconds=0.5');
    await eventually(() => client.received).toMatchObject([{ topic: '$iothub/methods/POST/ping/?$rid=1' }]);
    await client.publish('$iothub/methods/res/200/?$rid=1', '"pong"');
    expect(await invoked).toMatchObject({ status: 504 });
  });

  test('are acknowledged once they are processed', async () => {
    const client = await rawClient(simulator);
    await set({ twin: 'slow', twinDelaySeconds: 0.3 });
    await client.readTwin('1');
    const sent = client.publish(client.events, '{}', 1);
    expect(await answerWithin(100, sent)).toBe('no answer');
    expect(simulator.edgeHub.messages()).toEqual([]);
    await sent;
    expect(simulator.edgeHub.messages()).toHaveLength(1);
  });

  test('are dropped when it closes, and not answered on the next connection', async () => {
    const client = await rawClient(simulator);
    await set({ twin: 'slow', twinDelaySeconds: 3600 });
    await client.readTwin('1');
    await eventually(() => simulator.edgeHub.counters().twinReads).toBe(1);
    await client.publish(client.events, '{}', 0);
    await set({ dropConnections: true, twin: 'normal' });
    await client.closed;
    const next = await rawClient(simulator);
    await next.readTwin('2');
    await eventually(() => next.received).toEqual([answer('2')]);
    expect(simulator.edgeHub.messages()).toEqual([]);
  });
});

describe('a connection', () => {
  test('is taken over by a second client with the same id', async () => {
    const first = await rawClient(simulator);
    const second = await rawClient(simulator);
    await first.closed;
    expect(simulator.edgeHub.counters().connectedClients).toBe(1);
    await second.readTwin('1');
    await eventually(() => second.received).toEqual([answer('1')]);
  });

  test('is closed with its expired token at the next re-authentication', async () => {
    const client = await rawClient(simulator, { tokenSeconds: 60 });
    await set({ clockOffsetSeconds: 120 });
    await client.readTwin('1');
    await eventually(() => client.received).toEqual([answer('1')]);
    await set({ reauthenticationSeconds: 0.01 });
    await client.closed;
    expect(simulator.lines.join()).toMatch(/Connection closed: the token expired at Unix time \d+/);
    await expect(rawClient(simulator, { tokenSeconds: 60 })).rejects.toThrow('Not authorized');
    await expect(rawClient(simulator, { tokenSeconds: 3600 })).resolves.toBeDefined();
  });

  test('is closed when the certificate is renewed', async () => {
    const { hubPort, rootCertificate } = simulator;
    const presented = () =>
      new Promise<string>((resolve, reject) => {
        const options = { host: 'localhost', port: hubPort, ca: rootCertificate };
        const socket = connect(options, () => {
          resolve(socket.getPeerCertificate().serialNumber);
          socket.destroy();
        });
        socket.on('error', reject);
      });
    const before = await presented();
    const client = await rawClient(simulator);
    await set({ renewCertificate: true });
    await client.closed;
    const after = await presented();
    expect(after).not.toBe(before);
    await set({ certificate: 'expired' });
    await set({ certificate: 'valid' });
    expect(await presented()).toBe(after);
  });
});

describe('a persistent session', () => {
  const push = (note: string) => simulator.admin('PATCH', '/twin/desired', { note });
  const desired = '$iothub/twin/PATCH/properties/desired/#';

  test('receives nothing after edgeHub’s clock is set back, not even when it subscribes again', async () => {
    const client = await rawClient(simulator);
    await client.subscribe(desired);
    await set({ clockOffsetSeconds: -3600 });
    await client.subscribe(desired);
    await push('dropped');
    await client.readTwin('1');
    await eventually(() => simulator.lines).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^Not sent to \$iothub\/twin\/PATCH\/properties\/desired/),
        expect.stringMatching(/^Not sent to \$iothub\/twin\/res\/200/),
      ]),
    );
    await set({ dropConnections: true });
    const next = await rawClient(simulator);
    await next.readTwin('2');
    await eventually(() => simulator.lines.join()).toContain('Not sent to $iothub/twin/res/200/?$rid=2');
    expect([...client.received, ...next.received]).toEqual([]);

    // Edge hub has caught up, so the subscriptions are valid again.
    await set({ clockOffsetSeconds: 0 });
    await next.readTwin('3');
    await eventually(() => next.received).toEqual([answer('3')]);
  });

  test('is replaced by a clean one, which receives messages', async () => {
    await rawClient(simulator);
    await set({ clockOffsetSeconds: -3600, dropConnections: true });
    const client = await rawClient(simulator, { clean: true });
    await client.readTwin('1');
    await eventually(() => client.received).toEqual([answer('1')]);
  });

  test('continues to receive what it subscribed to earlier', async () => {
    const first = await rawClient(simulator);
    await first.subscribe(desired);
    await set({ dropConnections: true });
    const next = await rawClient(simulator);
    await push('new');
    await eventually(() => next.received).toMatchObject([{ payload: '{"note":"new","$version":2}' }]);
  });
});

describe('a method call', () => {
  test('waits for the module to subscribe, and is sent some time after', async () => {
    await set({ methodDelaySeconds: 0.1 });
    const invoked = simulator.admin('POST', '/methods/ping?connectTimeoutInSeconds=300');
    const client = await rawClient(simulator);
    expect(await answerWithin(150, invoked)).toBe('no answer');
    await client.subscribe('$iothub/methods/POST/#');
    await eventually(() => client.received).toMatchObject([{ topic: '$iothub/methods/POST/ping/?$rid=1' }]);
    await client.publish('$iothub/methods/res/200/?$rid=1', '1');
    expect(await invoked).toEqual({ status: 200, body: { status: 200, payload: 1 } });
  });

  test('returns 404 when no module subscribes in time', async () => {
    await rawClient(simulator);
    expect(await simulator.admin('POST', '/methods/ping?connectTimeoutInSeconds=0.05')).toMatchObject({
      status: 404,
    });
    expect(await simulator.admin('POST', '/methods/ping?connectTimeoutInSeconds=-1')).toEqual({
      status: 400,
      body: { error: 'connectTimeoutInSeconds must be from 0 to 300, got "-1"' },
    });
  });
});

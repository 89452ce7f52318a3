import { connect } from 'node:tls';
import iotDevice from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually, simulated } from '../../support/servers/simulator.ts';

let simulator: Awaited<ReturnType<typeof simulated>>;
beforeEach(async () => {
  simulator = await simulated({ desired: { policy: { servers: ['a', 'b', 'c'] } } });
});
afterEach(() => simulator.close());

async function opened() {
  const client = await simulator.client();
  await client.open();
  const twin = await client.getTwin();
  const report = (patch: object) =>
    new Promise<void>((resolve, reject) => {
      twin.properties.reported.update(patch, (error?: Error) => (error ? reject(error) : resolve()));
    });
  return { client, twin, report };
}

describe('the twin of a module that uses the real SDK', () => {
  test('contains the desired properties and a version for each side', async () => {
    const { twin } = await opened();
    expect(twin.properties.desired).toMatchObject({ policy: { servers: ['a', 'b', 'c'] }, $version: 1 });
    expect(twin.properties.reported).toMatchObject({ $version: 1 });
  });

  test('merges reported properties and increases their version', async () => {
    const { report } = await opened();
    await report({ summary: { fail: 1, warn: 2 }, old: true });
    await report({ summary: { fail: null }, old: null });
    expect(simulator.edgeHub.twin().reported).toEqual({ summary: { warn: 2 }, $version: 3 });
  });

  test('rejects an invalid patch with an empty 400, which the SDK treats as success', async () => {
    const { report } = await opened();
    await report({ 'bad.key': 1 });
    expect(simulator.edgeHub.twin().reported).toEqual({ $version: 1 });
    expect(simulator.lines.at(-1)).toMatch(/^Rejected reported properties with 400: the key "bad\.key"/);
  });

  test('rejects a patch that grows the reported properties beyond 32 KB', async () => {
    const { report } = await opened();
    const half = Array.from({ length: 5 }, () => 'x'.repeat(4000));
    await report({ a: half });
    await report({ b: half });
    expect(simulator.edgeHub.twin().reported).toEqual({ a: half, $version: 2 });
  });

  test('receives patches of the desired properties with their version', async () => {
    const { twin } = await opened();
    const patches: unknown[] = [];
    twin.on('properties.desired', (patch: unknown) => patches.push(patch));
    const patch = { policy: { servers: ['z'] }, gone: null };
    // The SDK subscribes in the background without reporting when it is done.
    await eventually(async () => {
      await simulator.admin('PATCH', '/twin/desired', patch);
      return patches.length;
    }).toBeGreaterThan(1);
    expect(patches[1]).toEqual({ ...patch, $version: expect.any(Number) });
    expect(simulator.edgeHub.twin().desired).toMatchObject({ policy: { servers: ['z'] } });
  });
});

describe('direct methods', () => {
  test('are invoked in the module and return its response', async () => {
    const { client } = await opened();
    client.onMethod('echo', (request, response) => {
      response?.send(202, { got: request?.payload }, () => undefined);
    });
    await eventually(() => simulator.admin('POST', '/methods/echo', { a: [1] })).toEqual({
      status: 200,
      body: { status: 202, payload: { got: { a: [1] } } },
    });
  });

  test('return 404 while no module is subscribed to methods', async () => {
    expect(await simulator.admin('POST', '/methods/echo', {})).toEqual({
      status: 404,
      body: { error: expect.stringContaining('echo') },
    });
    await opened();
    expect(await simulator.admin('POST', '/methods/echo', {})).toMatchObject({ status: 404 });
  });

  test('return 504 when the module does not respond in time', async () => {
    const { client } = await opened();
    client.onMethod('slow', () => undefined);
    await eventually(() => simulator.admin('POST', '/methods/slow?responseTimeoutInSeconds=0.1')).toEqual({
      status: 504,
      body: { error: expect.stringContaining('within 0.1 s') },
    });
  });

  test('return 502 when the response exceeds 128 KB', async () => {
    const { client } = await opened();
    client.onMethod('big', (_request, response) => {
      response?.send(200, 'x'.repeat(128 * 1024), () => undefined);
    });
    await eventually(() => simulator.admin('POST', '/methods/big')).toEqual({
      status: 502,
      body: { error: expect.stringContaining('131074 bytes') },
    });
  });
});

describe('messages', () => {
  test('are stored with their output and properties', async () => {
    const { client } = await opened();
    const message = new iotDevice.Message(JSON.stringify({ status: 'fail' }));
    message.contentType = 'application/json';
    message.contentEncoding = 'utf-8';
    message.properties.add('target', '/var/lib & more');
    await client.sendOutputEvent('alerts', message);
    await eventually(() => simulator.admin('GET', '/messages')).toMatchObject({
      status: 200,
      body: [
        {
          output: 'alerts',
          system: { contentType: 'application/json', contentEncoding: 'utf-8' },
          properties: { target: '/var/lib & more' },
          body: { status: 'fail' },
        },
      ],
    });
  });

  test('of more than 256 KB close the connection', async () => {
    const { client } = await opened();
    // The topic makes the packet exceed edgeHub's limit, which the SDK does not check.
    client.sendEvent(new iotDevice.Message('x'.repeat(256 * 1024)), () => undefined);
    await eventually(() => simulator.lines.join()).toMatch(/262\d{3} bytes, more than the maximum of 262144/);
    expect(simulator.edgeHub.messages()).toEqual([]);
  });
});

describe('a connection', () => {
  test('is rejected when its token is signed with another key', async () => {
    const { IOTEDGE_IOTHUBHOSTNAME, IOTEDGE_GATEWAYHOSTNAME, IOTEDGE_DEVICEID, IOTEDGE_MODULEID } =
      simulator.environment;
    const key = Buffer.from('not the key').toString('base64');
    const client = iotDevice.ModuleClient.fromConnectionString(
      `HostName=${IOTEDGE_IOTHUBHOSTNAME};GatewayHostName=${IOTEDGE_GATEWAYHOSTNAME};` +
        `DeviceId=${IOTEDGE_DEVICEID};ModuleId=${IOTEDGE_MODULEID};SharedAccessKey=${key}`,
      Mqtt,
    );
    await client.setOptions({ ca: simulator.rootCertificate });
    await expect(client.open()).rejects.toThrow(/Not authorized/);
    expect(simulator.lines.join()).toContain(
      'Rejected simulated-edge/hardening with code 5: the token is not signed',
    );
    expect(simulator.edgeHub.counters()).toMatchObject({ refusedConnects: 1, connects: 0 });
  });

  /** Sends bytes. Returns all received bytes, in hex, once edgeHub closes the connection. */
  async function exchange(...bytes: number[]): Promise<string> {
    const socket = connect({ host: 'localhost', port: simulator.hubPort, ca: simulator.rootCertificate });
    socket.write(Buffer.from(bytes));
    const received: Buffer[] = [];
    for await (const chunk of socket) received.push(chunk);
    return Buffer.concat(received).toString('hex');
  }
  const mqtt = [...Buffer.from('\0\x04MQTT')];
  const [cleanSession, keepAlive, clientId] = [[2], [0, 60], [0, 1, 0x61]];

  test('is rejected with code 3 without a user name and password', async () => {
    expect(await exchange(0x10, 13, ...mqtt, 4, ...cleanSession, ...keepAlive, ...clientId)).toBe('20020003');
  });

  test('is closed when it uses another MQTT version than 3.1.1', async () => {
    const mqisdp = [...Buffer.from('\0\x06MQIsdp')];
    expect(await exchange(0x10, 15, ...mqisdp, 3, ...cleanSession, ...keepAlive, ...clientId)).toBe('');
    expect(simulator.lines.at(-1)).toContain('protocol level 3');
  });
});

import iotDevice from 'azure-iot-device';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { answerWithin, eventually, simulated } from '../../support/servers/simulator.ts';
import { rawClient } from './raw-client.ts';

let simulator: Awaited<ReturnType<typeof simulated>>;
beforeEach(async () => {
  simulator = await simulated({ desired: { policy: { a: 1, list: [1] } } });
});
afterEach(() => simulator.close());

const set = async (change: object) =>
  expect(await simulator.admin('PUT', '/faults', change)).toMatchObject({ status: 200 });
const desire = (patch: object) => simulator.admin('PATCH', '/twin/desired', patch);

async function opened() {
  const client = await simulator.client();
  await client.open();
  const read = async () => {
    const { desired, reported } = (await client.getTwin()).properties;
    // The SDK adds functions to both.
    return JSON.parse(JSON.stringify({ desired, reported }));
  };
  await read();
  const twin = await client.getTwin();
  const report = (patch: object) =>
    new Promise<void>((resolve, reject) => {
      twin.properties.reported.update(patch, (error?: Error) => (error ? reject(error) : resolve()));
    });
  return { client, twin, read, report };
}

describe('while IoT Hub is unreachable, edgeHub', () => {
  test('answers reads of the twin late, from its store', async () => {
    const { read } = await opened();
    await desire({ policy: { a: 2 } });
    await set({ twin: 'stored', twinDelaySeconds: 0.2 });
    await desire({ policy: { a: 3 } });
    const reading = read();
    expect(await answerWithin(100, reading)).toBe('no answer');
    expect(await reading).toMatchObject({ desired: { policy: { a: 2, list: [1] }, $version: 2 } });
    expect(simulator.edgeHub.twin().desired).toMatchObject({ policy: { a: 3 }, $version: 3 });
  });

  test('acknowledges reports, and sends them as one when IoT Hub is back', async () => {
    const { read, report } = await opened();
    await set({ twin: 'stored', twinDelaySeconds: 0.01 });
    await report({ a: 1, b: 1 });
    await report({ b: null });
    expect(await read()).toMatchObject({ reported: { a: 1 } });
    expect(simulator.edgeHub.twin().reported).toEqual({ $version: 1 });
    await set({ twin: 'normal' });
    expect(simulator.edgeHub.twin().reported).toEqual({ a: 1, $version: 2 });
  });

  test('acknowledges messages, and forwards them when IoT Hub is back', async () => {
    const { client } = await opened();
    await set({ twin: 'stored' });
    await client.sendOutputEvent('alerts', new iotDevice.Message('{}'));
    expect(simulator.edgeHub.messages()).toEqual([]);
    expect(await (await fetch(simulator.edgeHubMetricsUrl)).text()).toMatch(
      /^edgehub_queue_length\{.*\} 1$/m,
    );
    await set({ twin: 'normal' });
    expect(await simulator.admin('GET', '/messages')).toMatchObject({ body: [{ output: 'alerts' }] });
  });

  test('pushes no changes, and all of them in one patch when IoT Hub is back', async () => {
    const { twin } = await opened();
    const patches: unknown[] = [];
    twin.on('properties.desired', (patch: unknown) => patches.push(patch));
    await eventually(async () => {
      await desire({});
      return patches.length;
    }).toBeGreaterThan(1);
    await set({ twin: 'stored' });
    const before = Number(simulator.edgeHub.twin().desired.$version);
    const pushed = patches.length;
    await desire({ policy: { a: null, b: { c: 1 } } });
    await desire({ policy: { list: [2] } });
    await set({ twin: 'normal' });
    await eventually(() => patches.slice(pushed)).toEqual([
      { policy: { a: null, b: { c: 1 }, list: [2] }, $version: before + 2 },
    ]);
  });
});

describe('reports', () => {
  test('reach IoT Hub after a delay, and are missing from what is read meanwhile', async () => {
    const { client, read, report } = await opened();
    await set({ reportDelaySeconds: 3600 });
    await report({ status: 'fail' });
    expect(await read()).toMatchObject({ reported: { $version: 1 } });
    await client.close();

    // A restarted edgeHub has lost nothing, and reads the twin from IoT Hub again.
    await set({ dropConnections: true });
    const again = await opened();
    expect(await again.read()).toMatchObject({ reported: { $version: 1 } });
    expect(simulator.edgeHub.twin().reported).toEqual({ $version: 1 });
    await set({ reportDelaySeconds: 0 });
    expect(simulator.edgeHub.twin().reported).toEqual({ status: 'fail', $version: 2 });
  });

  test('reach IoT Hub by themselves', async () => {
    const { report } = await opened();
    await set({ reportDelaySeconds: 0.05 });
    await report({ a: 1 });
    await report({ b: 1 });
    await eventually(() => simulator.edgeHub.twin().reported).toMatchObject({ a: 1, b: 1 });
  });

  test.each(['{', '[1]', ''])('that are no JSON object are rejected with 500: %j', async (payload) => {
    const client = await rawClient(simulator);
    await client.report('1', payload);
    await eventually(() => client.received).toEqual([{ topic: '$iothub/twin/res/500/?$rid=1', payload: '' }]);
  });
});

describe('malformed data', () => {
  test('can be the answer to a read of the twin', async () => {
    const client = await rawClient(simulator);
    await set({ twin: 'malformed' });
    await client.readTwin('1');
    await eventually(() => client.received).toEqual([
      { topic: '$iothub/twin/res/200/?$rid=1', payload: expect.stringMatching(/^\{"desired":\{/) },
    ]);
    expect(() => JSON.parse(client.received[0]?.payload ?? '')).toThrow(SyntaxError);
  });

  test.each(['', 'garbage', '{"policy":'])('can be pushed as a desired patch: %j', async (pushDesired) => {
    const client = await rawClient(simulator);
    await client.subscribe('$iothub/twin/PATCH/properties/desired/#');
    await set({ pushDesired });
    await eventually(() => client.received).toMatchObject([{ payload: pushDesired }]);
    expect(simulator.edgeHub.twin().desired.$version).toBe(1);
    expect(simulator.edgeHub.faults()).not.toHaveProperty('pushDesired');
  });
});

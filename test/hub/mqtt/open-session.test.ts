import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { describeError } from '../../../src/errors.ts';
import type { Json } from '../../../src/hub/merge-patch.ts';
import { type AwaitedStep, type Methods, PatchRejected } from '../../../src/hub/session.ts';
import { createWakeup } from '../../../src/hub/wakeup.ts';
import { openSession, withEnvironment } from '../../support/servers/hub.ts';
import { eventually, simulated } from '../../support/servers/simulator.ts';

let simulator: Awaited<ReturnType<typeof simulated>>;
beforeEach(async () => {
  simulator = await simulated({ desired: { policy: { servers: ['a'] } } });
});
afterEach(() => simulator.close());

/** A session on the real SDK, and what it received. */
async function opened(methods: Methods = {}) {
  withEnvironment(simulator.environment);
  const patches: Json[] = [];
  const awaited: AwaitedStep[] = [];
  const ends: (Error | undefined)[] = [];
  const errors: unknown[] = [];
  const missed: unknown[] = [];
  const session = await openSession(
    methods,
    {
      onAwait: (each) => void awaited.push(each),
      onDesired: (patch) => void patches.push(patch),
      onMissed: (error) => void missed.push(error),
      onEnd: (error) => void ends.push(error),
      onError: (error) => void errors.push(error),
    },
    new AbortController().signal,
  );
  onTestFinished(() => session.close(AbortSignal.timeout(1000)).catch(() => undefined));
  return { ...session, awaited, patches, missed, ends, errors };
}

const counters = () => simulator.edgeHub.counters();

describe('the twin', () => {
  test('is read as the hub stores it, desired and reported with their versions', async () => {
    const { readTwin, update } = await opened();
    await readTwin();
    await update({ a: { b: [1, 2] } });
    expect(await readTwin()).toEqual({
      desired: { policy: { servers: ['a'] }, $version: 1 },
      reported: { a: { b: [1, 2] }, $version: 2 },
    });
  });

  test('without a version is returned as it is', async () => {
    await simulator.edgeHub.setFaults({ twin: 'offline' });
    expect(await (await opened()).readTwin()).toEqual({ desired: {}, reported: {} });
  });

  test('that edgeHub cannot get is an error, where the SDK would crash the process', async () => {
    await simulator.edgeHub.setFaults({ twin: 'empty500' });
    const { readTwin } = await opened();
    await expect(readTwin()).rejects.toThrow('edgeHub answered the request for the twin with status 500');
    await simulator.edgeHub.setFaults({ twin: 'normal' });
    expect((await readTwin()).desired).toHaveProperty('$version', 1);
  });

  test('has its patches handed over unchanged, arrays included', async () => {
    const { readTwin, patches } = await opened();
    await readTwin();
    simulator.edgeHub.patchDesired({ policy: { servers: ['x', 'y'] } });
    simulator.edgeHub.patchDesired({ policy: { servers: ['z'], gone: null } });
    await eventually(() => patches.filter(({ $version }) => $version !== 1)).toEqual([
      { policy: { servers: ['x', 'y'] }, $version: 2 },
      { policy: { servers: ['z'], gone: null }, $version: 3 },
    ]);
  });

  test('is not merged with patches that arrive while it is read', async () => {
    const { readTwin } = await opened();
    await readTwin();
    const read = readTwin();
    // Both are pushed before edgeHub receives the request.
    simulator.edgeHub.patchDesired({ policy: { servers: ['x', 'y', 'z'] } });
    simulator.edgeHub.patchDesired({ policy: { servers: ['b'] } });
    expect((await read).desired).toEqual({ policy: { servers: ['b'] }, $version: 3 });
  });

  test('is read once, after edgeHub has acknowledged the subscription to patches, so none is missed in between', async () => {
    const { readTwin, patches } = await opened();
    await readTwin();
    expect(counters().twinReads).toBe(1);
    simulator.edgeHub.patchDesired({ b: 1 });
    await eventually(() => patches).toEqual([{ b: 1, $version: 2 }]);
  });

  test('that is cut off is an error, where the SDK would end the process', async () => {
    await simulator.edgeHub.setFaults({ twin: 'malformed' });
    const { readTwin, ends } = await opened();
    const error = await readTwin().catch((reason: unknown) => reason);
    expect(describeError(error)).toMatch(
      /^edgeHub's answer to the request for the twin cannot be read: \d+ bytes that are not valid JSON/,
    );
    await simulator.edgeHub.setFaults({ twin: 'normal' });
    expect((await readTwin()).desired).toHaveProperty('$version', 1);
    expect(ends).toEqual([]);
  });

  test.each([
    ['garbage', '\u0000\u0001garbage', 'not valid JSON'],
    ['nothing', '', 'not valid JSON'],
    ['half an object', '{"policy":{"servers":["a', 'not valid JSON'],
    ['a list', '[1]', 'no object'],
    ['null', 'null', 'no object'],
  ])(
    'is missed, where the SDK would end the process, when edgeHub pushes %s',
    async (_what, pushDesired, why) => {
      const { readTwin, patches, missed, ends } = await opened();
      await readTwin();
      await simulator.edgeHub.setFaults({ pushDesired });
      simulator.edgeHub.patchDesired({ b: 1 });
      await eventually(() => patches).toEqual([expect.objectContaining({ b: 1 })]);
      expect(missed.map(describeError)).toEqual([expect.stringContaining(why)]);
      expect(ends).toEqual([]);
    },
  );

  test('is handed over without what is nested deeper than any policy', async () => {
    const { readTwin, patches } = await opened();
    await readTwin();
    const deep = `${'{"a":'.repeat(40_000)}1${'}'.repeat(40_000)}`;
    await simulator.edgeHub.setFaults({ pushDesired: `{"$version":2,"kept":1,"deep":${deep}}` });
    await eventually(() => patches).toHaveLength(1);
    expect(patches[0]).toMatchObject({ $version: 2, kept: 1, deep: { a: { a: { a: {} } } } });
    expect(JSON.stringify(patches[0])).toContain('"nested deeper than 64 levels"');
  });
});

describe('a patch of the reported properties', () => {
  test('resolves once it was acknowledged', async () => {
    const { readTwin, update } = await opened();
    await readTwin();
    await update({ a: 1 });
    expect(simulator.edgeHub.twin().reported).toEqual({ a: 1, $version: 2 });
  });

  test('is detected as rejected, where the SDK reports success', async () => {
    const { readTwin, update } = await opened();
    await readTwin();
    await simulator.edgeHub.setFaults({ reported: 'empty400' });
    const error = await update({ a: 1 }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PatchRejected);
    expect(String(error)).toContain('rejected the reported properties with status 400');
    await simulator.edgeHub.setFaults({ reported: 'normal' });
    await update({ a: 1 });
  });

  test('that is rejected with a body keeps its status', async () => {
    const { readTwin, update } = await opened();
    await readTwin();
    await simulator.edgeHub.setFaults({ reported: 'body429' });
    const error = await update({ a: 1 }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PatchRejected);
    expect(describeError(error)).toMatch(
      /rejected the reported properties with status 429: ThrottlingException \(429001\)$/,
    );
    expect(error).toMatchObject({ detail: 'throttled' });
  });
});

test('a message is sent to its output with content type, encoding and properties', async () => {
  const { send } = await opened();
  await send({
    output: 'alerts',
    body: { message: 'Ä 100 % & more' },
    properties: { check: 'diskSpace', target: '/var/lib & = % Ä $x' },
  });
  expect(simulator.edgeHub.messages()).toMatchObject([
    {
      output: 'alerts',
      system: { contentType: 'application/json', contentEncoding: 'utf-8' },
      properties: { check: 'diskSpace', target: '/var/lib & = % Ä $x' },
      body: { message: 'Ä 100 % & more' },
    },
  ]);
});

describe('direct methods', () => {
  const invoke = (name: string, body?: unknown) => simulator.admin('POST', `/methods/${name}`, body);

  test('get a response, unknown ones included', async () => {
    await opened({ echo: async (payload) => ({ status: 200, payload: { payload } }) });
    await eventually(() => invoke('echo', { a: 1 })).toEqual({
      status: 200,
      body: { status: 200, payload: { payload: { a: 1 } } },
    });
    expect(await invoke('nothing')).toEqual({
      status: 200,
      body: { status: 404, payload: { error: 'Unknown method nothing. Available: echo' } },
    });
  });

  test('that throw or return too much get a response with status 500', async () => {
    await opened({
      bad: () => Promise.reject(new Error('no such check')),
      big: async () => ({ status: 200, payload: 'x'.repeat(120 * 1024) }),
    });
    await eventually(() => invoke('bad')).toMatchObject({
      body: { status: 500, payload: { error: 'no such check' } },
    });
    expect(await invoke('big')).toMatchObject({
      body: { status: 500, payload: { error: 'The response has 122882 bytes, the limit is 122880' } },
    });
  });
});

describe('the end of a session', () => {
  test('is signalled when the connection is lost, and the SDK does not reconnect', async () => {
    const { readTwin, ends } = await opened({ ping: async () => ({ status: 200, payload: null }) });
    await readTwin();
    await simulator.edgeHub.setFaults({ dropConnections: true });
    await eventually(() => ends).toHaveLength(1);
    await eventually(() => counters().connectedClients).toBe(0);
    expect(counters().connects).toBe(1);
  });

  test('is not signalled when it was closed', async () => {
    const { close, ends } = await opened();
    await close(AbortSignal.timeout(5000));
    await eventually(() => counters().connectedClients).toBe(0);
    expect(ends).toEqual([]);
  });
});

test('a method response that cannot be sent is reported', async () => {
  const lost = createWakeup();
  const { ends, errors } = await opened({
    async ping() {
      await simulator.edgeHub.setFaults({ dropConnections: true });
      await lost.wait(10_000, new AbortController().signal);
      return { status: 200, payload: null };
    },
  });
  void simulator.admin('POST', '/methods/ping').catch(() => undefined);
  await eventually(() => ends).toHaveLength(1);
  lost.ring();
  await eventually(() => errors).toHaveLength(1);
});

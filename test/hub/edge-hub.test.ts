import { describe, expect, test } from 'vitest';
import { connectionErrors, deviceForEach, patientTimings, shortTimings } from '../support/servers/hub.ts';
import { eventually } from '../support/servers/simulator.ts';

const { connectedHub, counters, hubOf, reported, set, simulator } = deviceForEach({ policy: {} });

const bodies = () =>
  simulator()
    .edgeHub.messages()
    .map(({ body }) => body);
const message = (body: unknown) => ({ output: 'alerts', body, properties: {} });

describe('without IoT Hub', () => {
  test('edgeHub answers late from its store: that is a connection, and its policy is taken', async () => {
    await set({ twin: 'stored', twinDelaySeconds: 1 });
    const hub = hubOf();
    hub.send(message(1));
    hub.report({ a: 1 }, 60, true);
    expect(hub.state()).toBe('connecting');
    await eventually(hub.state).toBe('connected');
    expect(hub.documents).toEqual([{ policy: {}, $version: 1 }]);
    await eventually(() => hub.figures().patches).toBe(1);
    // In edgeHub's store until IoT Hub is back.
    expect(bodies()).toEqual([]);
    await set({ twin: 'normal' });
    await eventually(bodies).toEqual([1]);
    await eventually(reported).toMatchObject({ a: 1 });
    expect(counters()).toMatchObject({ connects: 1, twinReads: 1 });
    expect(connectionErrors(hub)).toEqual([]);
  });

  test('a read that takes longer than the deadline of a call names the twin', async () => {
    await set({ twin: 'slow', twinDelaySeconds: 1 });
    const hub = hubOf({ timings: shortTimings });
    await eventually(() => hub.status().problem).toEqual({
      reason: 'offline',
      detail: 'no_twin',
      message: 'edgeHub accepted the connection, but not the request for the twin: No answer within 0.3 s',
    });
  });
});

describe('a clock that was set back', () => {
  test.each([3600, 86_400])(
    'by %d s costs nothing after a reconnect: no subscription is older than an answer',
    async (seconds) => {
      const hub = await connectedHub({ methods: { ping: async () => ({ status: 200, payload: 'pong' }) } });
      await set({ clockOffsetSeconds: -seconds, dropConnections: true });
      await eventually(() => counters().connects).toBe(2);
      hub.report({ a: 1 }, 60, true);
      await eventually(reported).toMatchObject({ a: 1 });
      simulator().edgeHub.patchDesired({ other: 1 });
      await eventually(() => hub.documents.at(-1)).toMatchObject({ other: 1 });
      expect(await simulator().admin('POST', '/methods/ping')).toMatchObject({ body: { payload: 'pong' } });
      await eventually(() => hub.figures().patches).toBe(1);
      expect(counters().connects).toBe(2);
    },
  );

  test('replaces the session before the next report, because the old one would receive nothing', async () => {
    let offsetMs = 0;
    const hub = await connectedHub({ now: () => new Date(Date.now() + offsetMs) });
    offsetMs = -3_600_000;
    await set({ clockOffsetSeconds: -3600 });
    hub.report({ a: 1 }, 60, true);
    await eventually(() => hub.figures().patches).toBe(1);
    expect(reported()).toMatchObject({ a: 1 });
    expect(counters()).toMatchObject({ connects: 2, reportedUpdates: 1 });
    expect(connectionErrors(hub)).toEqual([]);
  });
});

describe('a message that edgeHub cannot store', () => {
  test('does not keep a report waiting when edgeHub does not acknowledge it', async () => {
    const hub = await connectedHub();
    await set({ messages: 'unacknowledged' });
    hub.send(message(1));
    await eventually(() => counters().messages).toBe(1);
    hub.report({ a: 1 }, 60, true);
    await eventually(reported).toMatchObject({ a: 1 });
    expect(counters().connects).toBe(1);
  });

  test('does not keep a report waiting when edgeHub closes the connection at it, and is kept', async () => {
    await set({ messages: 'closes' });
    const hub = hubOf();
    hub.send(message(1));
    hub.report({ a: 1 }, 60, true);
    await eventually(reported).toMatchObject({ a: 1 });
    await eventually(() => connectionErrors(hub)).toContainEqual(
      expect.stringMatching(/^edgeHub closed the connection while a message was sent to it/),
    );
    await set({ messages: 'normal' });
    await eventually(bodies).toEqual([1]);
    expect(counters().messages).toBeLessThan(5);
  });

  test('is retried in the same session when only its acknowledgement is missing', async () => {
    await set({ messages: 'unacknowledged' });
    const hub = await connectedHub({ timings: { ...patientTimings, read: 0.3, report: 0.3 } });
    hub.send(message(1));
    await eventually(() => hub.logged.at(-1)).toMatchObject({
      text: 'A message did not get through, it will be retried',
      error: 'edgeHub accepted the connection, but not a message: No answer within 0.3 s',
    });
    await set({ messages: 'normal' });
    await eventually(bodies).toEqual([1]);
    expect(counters().connects).toBe(1);
  });
});

test('two instances of a module say so, and both reports get through', async () => {
  const timings = { ...patientTimings, read: 2, report: 2 };
  // Each wait is as long as it may be.
  const [one, other] = [hubOf({ timings, random: () => 1 }), hubOf({ timings, random: () => 0.6 })];
  one.report({ a: 1 }, 60, true);
  other.report({ b: 1 }, 60, true);
  await eventually(reported).toMatchObject({ a: 1, b: 1 });
  const said = () => [one, other].flatMap(({ logged }) => logged.map(({ text }) => text));
  await expect
    .poll(said, { timeout: 30_000 })
    .toContainEqual(expect.stringMatching(/^Another instance of this module is probably connected/));
}, 40_000);

describe('a patch that edgeHub acknowledged', () => {
  test('and does not return yet is still the base: a report that equals the old twin is sent', async () => {
    const hub = await connectedHub();
    hub.report({ a: 'pass' }, 0, true);
    await eventually(reported).toMatchObject({ a: 'pass' });
    await set({ reportDelaySeconds: 1 });
    hub.report({ a: 'fail' }, 0, true);
    await eventually(() => hub.figures().patches).toBe(2);
    await set({ dropConnections: true });
    await eventually(() => counters().connects).toBe(2);
    hub.report({ a: 'pass' }, 0, true);
    await eventually(() => hub.figures().patches).toBe(3);
    await set({ reportDelaySeconds: 0 });
    await eventually(reported).toMatchObject({ a: 'pass' });
  });

  test('loses the keys of an older version', async () => {
    const older = await connectedHub({ keys: ['old', 'a'] });
    older.report({ old: { x: 1 }, a: 1 }, 0, true);
    await eventually(reported).toMatchObject({ old: { x: 1 } });
    await older.close(AbortSignal.timeout(5000));
    const hub = await connectedHub({ keys: ['a'], acknowledged: { old: { x: 1 }, a: 1 } });
    hub.report({ a: 2 }, 0, true);
    await eventually(reported).toEqual({ a: 2, $version: 3 });
  });
});

describe('malformed input', () => {
  test('in a push is logged, and the twin is read again in the same session', async () => {
    const hub = await connectedHub();
    await set({ pushDesired: '{"policy":{"a' });
    await eventually(() => counters().twinReads).toBe(2);
    await eventually(() => hub.documents).toHaveLength(2);
    expect(hub.logged.at(-1)).toMatchObject({
      text: 'A change of the desired properties could not be read, reading all of them',
      error: expect.stringContaining('13 bytes that are not valid JSON'),
    });
    expect(counters().connects).toBe(1);
  });

  test('in the twin ends the session, which is retried', async () => {
    await set({ twin: 'malformed' });
    const hub = hubOf({ timings: shortTimings });
    await eventually(() => hub.status().problem?.message).toMatch(
      /^edgeHub's answer to the request for the twin cannot be read: \d+ bytes that are not valid JSON/,
    );
    await set({ twin: 'normal' });
    await eventually(hub.state).toBe('connected');
  });

  test.each([
    [
      'malformed',
      /^Could not get credentials from the workload API: GET \/trust-bundle on \S+ was answered without a valid "certificate"$/,
    ],
    [
      'error',
      /^Could not get credentials from the workload API: GET \/trust-bundle on \S+ was answered 500$/,
    ],
  ] as const)('from the workload API (%s) says what was asked, and is retried', async (workload, error) => {
    await set({ workload });
    const hub = hubOf();
    await eventually(() => hub.status().problem).toMatchObject({
      reason: 'workload_api_failed',
      message: expect.stringMatching(error),
    });
    expect(connectionErrors(hub)[0]).toMatch(error);
    await set({ workload: 'normal' });
    await eventually(hub.state).toBe('connected');
  });
});

test('a report that is rejected with a body keeps the session', async () => {
  const hub = await connectedHub();
  await set({ reported: 'body429' });
  hub.report({ a: 1 }, 0.05, true);
  await eventually(() => hub.logged.at(-1)?.error).toMatch(/status 429/);
  await set({ reported: 'normal' });
  await eventually(reported).toMatchObject({ a: 1 });
  expect(counters().connects).toBe(1);
});

describe('a connection that works, though what it is for does not,', () => {
  const messages = (hub: ReturnType<typeof hubOf>) => hub.status().troubles?.map((each) => each.message);

  test.each([
    ['empty400', 'edgeHub rejected the reported properties with status 400'],
    ['body429', expect.stringMatching(/^edgeHub rejected the reported properties with status 429: ./)],
  ] as const)('says that reports are rejected (%s), and logs it once', async (fault, message) => {
    const hub = await connectedHub();
    await set({ reported: fault });
    hub.report({ a: 1 }, 0.05, true);
    await eventually(() => counters().reportedUpdates).toBeGreaterThan(4);
    expect(messages(hub)).toEqual([message]);
    expect(hub.state()).toBe('connected');
    expect(hub.logged.filter(({ level }) => level === 'error')).toHaveLength(1);
    await set({ reported: 'normal' });
    await eventually(() => messages(hub)).toBeUndefined();
    expect(hub.logged.at(-1)?.text).toBe('edgeHub has the current report again');
  });

  test('says that reports get no answer, also after the session was replaced', async () => {
    const hub = await connectedHub({ timings: shortTimings });
    await set({ reported: 'silent' });
    hub.report({ a: 1 }, 60, true);
    await eventually(() => counters().connects).toBeGreaterThan(2);
    await eventually(hub.state).toBe('connected');
    expect(messages(hub)).toEqual([
      'edgeHub accepted the connection, but not the reported properties: No answer within 0.3 s',
    ]);
    await set({ reported: 'normal' });
    await eventually(() => messages(hub)).toBeUndefined();
  });

  test('no longer says so when the rejected report has become what edgeHub has', async () => {
    const hub = await connectedHub();
    hub.report({ a: 1 }, 0.05, true);
    await eventually(reported).toMatchObject({ a: 1 });
    await set({ reported: 'empty400' });
    hub.report({ a: 2 }, 0.05, true);
    await eventually(() => messages(hub)).toHaveLength(1);
    hub.report({ a: 1 }, 0.05, true);
    await eventually(() => messages(hub)).toBeUndefined();
  });

  test('says that edgeHub has no copy of the twin', async () => {
    await set({ twin: 'offline' });
    const hub = await connectedHub({ timings: { ...patientTimings, rereadUnknown: 0.05 } });
    expect(messages(hub)).toEqual(['edgeHub has no copy of the module twin, so no policy can arrive']);
    await set({ twin: 'normal' });
    await eventually(() => messages(hub)).toBeUndefined();
    expect(hub.logged.at(-1)?.text).toBe('edgeHub has a copy of the twin now');
  });

  test('says that a message is not acknowledged, before the message is given up', async () => {
    const hub = await connectedHub({ timings: { ...patientTimings, lateMessage: 0.3 } });
    await set({ messages: 'unacknowledged' });
    hub.send(message(1));
    await eventually(() => messages(hub)).toEqual([
      'edgeHub accepted the connection, but not a message: No answer within 0.3 s',
    ]);
    expect(counters().messages).toBe(1);
    await set({ messages: 'normal', dropConnections: true });
    await eventually(bodies).toEqual([1]);
    await eventually(() => messages(hub)).toBeUndefined();
  });

  test('does not say so while the twin is read, which edgeHub does first', async () => {
    await set({ twin: 'stored', twinDelaySeconds: 1 });
    const hub = hubOf({ timings: { ...patientTimings, lateMessage: 0.3 } });
    hub.send(message(1));
    await eventually(hub.state).toBe('connected');
    expect(hub.logged.map(({ text }) => text)).toEqual(['Connected to edgeHub']);
  });

  test('says that edgeHub closes it at each message', async () => {
    await set({ messages: 'closes' });
    const hub = hubOf();
    hub.send(message(1));
    await expect
      .poll(() => messages(hub), { timeout: 15_000 })
      .toEqual([expect.stringMatching(/^edgeHub closed the connection while a message was sent to it/)]);
    expect(counters().messages).toBe(2);
  }, 20_000);
});

test('a reconnect that the workload API does not answer is said to wait for it, and one for the twin likewise', async () => {
  const hub = await connectedHub();
  await set({ workload: 'hangs', dropConnections: true });
  await eventually(() => hub.status().problem).toEqual({
    reason: 'workload_api_failed',
    message: 'No credentials have come from the workload API for more than 5 s',
  });
  await set({ workload: 'normal', twin: 'silent' });
  await hub.close(AbortSignal.abort());
  const next = hubOf();
  await eventually(() => next.status().problem).toEqual({
    reason: 'offline',
    detail: 'no_twin',
    message:
      'edgeHub accepted the connection, but has not answered the request for the twin for more than 5 s',
  });
});

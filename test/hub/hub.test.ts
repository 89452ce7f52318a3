import { describe, expect, test } from 'vitest';
import type { OpenSession } from '../../src/hub/session.ts';
import { createMetrics } from '../../src/sinks/metrics.ts';
import { samplesOf } from '../support/exposition.ts';
import { reportOf } from '../support/fixtures/sample-report.ts';
import { deviceForEach, openSession, patientTimings, shortTimings } from '../support/servers/hub.ts';
import { eventually } from '../support/servers/simulator.ts';

const { connectedHub, counters, hubOf, reported, set, simulator } = deviceForEach({
  policy: { servers: ['a', 'b', 'c'] },
});

describe('the desired properties', () => {
  test('are handed over when they are read and at each change, with arrays replaced whole', async () => {
    const { documents } = await connectedHub();
    expect(documents).toEqual([{ policy: { servers: ['a', 'b', 'c'] }, $version: 1 }]);
    simulator().edgeHub.patchDesired({ policy: { servers: ['z'] }, other: 1 });
    simulator().edgeHub.patchDesired({ other: null });
    await eventually(() => documents.slice(1)).toEqual([
      { policy: { servers: ['z'] }, other: 1, $version: 2 },
      { policy: { servers: ['z'] }, $version: 3 },
    ]);
  });

  test('are not lost when they change while they are read', async () => {
    let onPatch = (_version: unknown) => {};
    const { documents } = await connectedHub({
      async open(methods, events, signal) {
        const session = await openSession(
          methods,
          {
            ...events,
            onDesired(patch) {
              events.onDesired(patch);
              onPatch(patch.$version);
            },
          },
          signal,
        );
        return {
          ...session,
          async readTwin() {
            const twin = await session.readTwin();
            const pushed = new Promise<void>((resolve) => {
              onPatch = (version) => version === 2 && resolve();
            });
            simulator().edgeHub.patchDesired({ policy: { servers: ['z'] } });
            await pushed;
            return twin;
          },
        };
      },
    });
    expect(documents.at(-1)).toEqual({ policy: { servers: ['z'] }, $version: 2 });
  });

  /** Opens sessions in which some pushes never arrive. */
  const losing =
    (lost: (version: unknown) => boolean): OpenSession =>
    (methods, events, signal) =>
      openSession(
        methods,
        {
          ...events,
          onDesired: (patch) => {
            if (!lost(patch.$version)) events.onDesired(patch);
          },
        },
        signal,
      );

  test('are read again at intervals, which finds a lost push', async () => {
    const { documents } = await connectedHub({
      timings: { ...patientTimings, reread: 0.1 },
      open: losing(() => true),
    });
    simulator().edgeHub.patchDesired({ other: 1 });
    await eventually(() => documents.at(-1)).toMatchObject({ other: 1, $version: 2 });
    expect(counters().connects).toBe(1);
  });

  test('are read again at once when a push shows that one before it was lost', async () => {
    const { documents } = await connectedHub({ open: losing((version) => version === 2) });
    simulator().edgeHub.patchDesired({ lost: 1 });
    simulator().edgeHub.patchDesired({ other: 1 });
    await eventually(() => documents.slice(1)).toEqual([
      { policy: { servers: ['a', 'b', 'c'] }, lost: 1, other: 1, $version: 3 },
    ]);
    expect(counters().twinReads).toBe(2);
  });

  test('made up by an offline edgeHub are not handed over, and not read in a loop', async () => {
    const hub = await connectedHub({ open: losing((version) => version === 2) });
    await set({ twin: 'offline' });
    simulator().edgeHub.patchDesired({ lost: 1 });
    simulator().edgeHub.patchDesired({ other: 1 });
    await eventually(() => counters().twinReads).toBe(2);
    // A read that is due comes before anything is sent.
    hub.report({ a: 1 }, 60, true);
    await eventually(reported).toMatchObject({ a: 1 });
    await set({ dropConnections: true });
    await eventually(() => counters().twinReads).toBe(3);
    await eventually(hub.state).toBe('connected');
    hub.report({ a: 2 }, 60, true);
    await eventually(reported).toMatchObject({ a: 2 });

    expect(counters().twinReads).toBe(3);
    expect(hub.documents).toEqual([{ policy: { servers: ['a', 'b', 'c'] }, $version: 1 }]);
  });

  test('that edgeHub does not have yet are logged once and read again soon', async () => {
    await set({ twin: 'offline' });
    const hub = await connectedHub({ timings: { ...patientTimings, rereadUnknown: 0.05 } });
    await eventually(() => counters().twinReads).toBeGreaterThan(4);
    expect(hub.logged.map(({ text }) => text)).toEqual([
      'The twin could not be read, waiting for it',
      'Connected to edgeHub',
    ]);
    await set({ twin: 'normal' });
    await eventually(() => hub.documents).toEqual([{ policy: { servers: ['a', 'b', 'c'] }, $version: 1 }]);
    expect(counters().connects).toBe(1);
  });

  test('are handed over once edgeHub has them, when it was offline at first', async () => {
    await set({ twin: 'offline' });
    const hub = await connectedHub();
    expect(hub.documents).toEqual([]);
    await set({ twin: 'normal' });
    simulator().edgeHub.patchDesired({ other: 1 });
    await eventually(() => hub.documents).toEqual([
      { policy: { servers: ['a', 'b', 'c'] }, other: 1, $version: 2 },
    ]);
  });
});

describe('reports', () => {
  test('are sent as differences from what was acknowledged, and are counted', async () => {
    const hub = await connectedHub();
    hub.report({ summary: { fail: 1 }, checks: { a: { status: 'pass' }, b: {} } }, 0, false);
    await eventually(reported).toMatchObject({ summary: { fail: 1 } });
    hub.report({ summary: { fail: 2 }, checks: { a: { status: 'pass' } } }, 0, false);
    await eventually(reported).toEqual({
      summary: { fail: 2 },
      checks: { a: { status: 'pass' } },
      $version: 3,
    });
    await eventually(hub.figures).toEqual({
      lastSuccess: new Date('2026-11-21T20:30:00Z'),
      patches: 2,
      patchBytes: [
        '{"summary":{"fail":1},"checks":{"a":{"status":"pass"},"b":{}}}',
        '{"summary":{"fail":2},"checks":{"b":null}}',
      ].join('').length,
    });
  });

  test('are counted in the metrics: patches and bytes in separate counters', async () => {
    const hub = await connectedHub();
    hub.report({ summary: { fail: 1 } }, 0, false);
    await eventually(() => hub.figures().patches).toBe(1);
    hub.report({ summary: { fail: 2 } }, 0, false);
    await eventually(() => hub.figures().patches).toBe(2);
    const metrics = createMetrics({
      checks: [],
      build: { version: '1.0.0', revision: 'abcdef0' },
      identity: {},
      where: 'info',
      total: () => 0,
      hub: hub.figures,
      policyAcceptedAt: () => new Date(0),
    });
    const samples = samplesOf(await metrics.render(reportOf({})));
    const value = (name: string) => samples.find((sample) => sample.name === name)?.value;
    expect(value('hardening_twin_patches_total')).toBe('2');
    expect(value('hardening_twin_patch_bytes_total')).toBe(String(2 * '{"summary":{"fail":1}}'.length));
    const lastSuccess = Date.parse('2026-11-21T20:30:00Z') / 1000;
    expect(value('hardening_report_last_success_timestamp_seconds')).toBe(String(lastSuccess));
  });

  test('made before the first connection are kept and sent as one patch', async () => {
    await set({ down: true });
    const hub = hubOf();
    hub.report({ a: 1 }, 60, true);
    hub.report({ a: 2, b: 1 }, 60, true);
    await set({ down: false });
    await eventually(reported).toEqual({ a: 2, b: 1, $version: 2 });
    expect(counters().reportedUpdates).toBe(1);
  });

  test('of an earlier process are corrected by a difference', async () => {
    const first = await connectedHub();
    first.report({ checks: { old: 1, same: 2 } }, 0, false);
    await eventually(reported).toMatchObject({ checks: { old: 1 } });
    await first.close(AbortSignal.timeout(5000));
    const second = await connectedHub();
    second.report({ checks: { same: 2, fresh: 3 } }, 60, false);
    await eventually(reported).toEqual({ checks: { same: 2, fresh: 3 }, $version: 3 });
  });

  test('are compared with what was acknowledged when an offline edgeHub makes up an empty twin', async () => {
    const hub = await connectedHub();
    hub.report({ checks: { old: 1, same: 2 } }, 60, true);
    await eventually(reported).toMatchObject({ checks: { old: 1 } });
    await set({ twin: 'offline', dropConnections: true });
    await eventually(() => counters().twinReads).toBe(2);
    hub.report({ checks: { same: 2 } }, 60, true);
    await eventually(reported).toEqual({ checks: { same: 2 }, $version: 3 });
  });

  test('that were rejected are retried after the interval, with all later changes', async () => {
    const hub = await connectedHub();
    hub.report({ a: 1, b: 1 }, 0.05, false);
    await eventually(reported).toMatchObject({ a: 1 });
    await set({ reported: 'empty400' });
    hub.report({ a: 2 }, 0.05, false);
    await eventually(() => counters().reportedUpdates).toBeGreaterThan(2);
    expect(hub.logged.at(-1)).toEqual({
      level: 'error',
      text: 'The report did not get through, it will be retried',
      error: 'edgeHub rejected the reported properties with status 400',
    });
    expect(reported()).toEqual({ a: 1, b: 1, $version: 2 });
    expect(hub.state()).toBe('connected');
    hub.report({ b: 2 }, 0.05, false);
    await set({ reported: 'normal' });
    await eventually(reported).toEqual({ a: 2, b: 2, $version: 3 });
    // All in the same session.
    expect(counters().connects).toBe(1);
  });

  test('that IoT Hub would reject are not sent and do not block messages', async () => {
    const hub = await connectedHub();
    hub.report({ 'a.b': 1 }, 60, true);
    await eventually(() => hub.logged.at(-1)?.error).toBe(
      'IoT Hub would reject the report: the key "a.b" is not allowed',
    );
    hub.send({ output: 'alerts', body: 1, properties: {} });
    await eventually(() => simulator().edgeHub.messages()).toHaveLength(1);
    expect(counters().reportedUpdates).toBe(0);
  });

  test('without an acknowledgement end the session and are sent again by the next one', async () => {
    const hub = await connectedHub({ timings: shortTimings });
    await set({ reported: 'silent' });
    hub.report({ a: 1 }, 60, true);
    await eventually(() => hub.logged.map(({ error }) => error)).toContain(
      'edgeHub accepted the connection, but not the reported properties: No answer within 0.3 s',
    );
    await set({ reported: 'normal' });
    await eventually(reported).toEqual({ a: 1, $version: 2 });
    expect(counters().connects).toBeGreaterThan(1);
  });
});

describe('messages', () => {
  test('are kept in order while there is no connection', async () => {
    await set({ down: true });
    const hub = hubOf();
    const properties = { check: 'diskSpace', status: 'fail', target: '/var/lib' };
    for (const body of [1, 2, 3]) hub.send({ output: 'alerts', body, properties });
    await set({ down: false });
    await eventually(() => simulator().edgeHub.messages()).toHaveLength(3);
    const system = { contentType: 'application/json', contentEncoding: 'utf-8' };
    expect(simulator().edgeHub.messages()).toMatchObject(
      [1, 2, 3].map((body) => ({ output: 'alerts', body, properties, system })),
    );
  });

  test('count as sent once edgeHub has acknowledged them', async () => {
    let now = new Date('2026-11-21T20:30:00Z');
    const hub = await connectedHub({ now: () => now });
    expect(hub.sentAt()).toBeUndefined();
    hub.send({ output: 'alerts', body: 1, properties: {} });
    await eventually(hub.sentAt).toEqual(now);
    const first = now;
    now = new Date('2026-11-21T20:31:00Z');
    await set({ messages: 'unacknowledged' });
    hub.send({ output: 'alerts', body: 2, properties: {} });
    await eventually(() => counters().messages).toBe(2);
    expect(hub.sentAt()).toEqual(first);
  });

  test('that are too large are dropped and logged, and do not block the next', async () => {
    const hub = await connectedHub();
    hub.send({ output: 'alerts', body: 'x'.repeat(300_000), properties: {} });
    hub.send({ output: 'alerts', body: 'short', properties: {} });
    await eventually(() => simulator().edgeHub.messages()).toMatchObject([{ body: 'short' }]);
    expect(hub.logged.at(-1)?.text).toBe('Dropped a message that is too large to send');
    expect(counters().connects).toBe(1);
  });
});

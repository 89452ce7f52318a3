import { describe, expect, test } from 'vitest';
import { type OpenSession, openSession } from '../../src/hub/session.ts';
import { createMetrics } from '../../src/sinks/metrics.ts';
import { samplesOf } from '../support/exposition.ts';
import { deviceForEach, patientTimings, shortTimings } from '../support/hub.ts';
import { reportOf } from '../support/sample-report.ts';
import { eventually } from '../support/simulator.ts';

const { connectedHub, counters, hubOf, reported, set, simulator } = deviceForEach({
  policy: { servers: ['a', 'b', 'c'] },
});

describe('the desired properties', () => {
  test('are heard when they are read, and at each change, arrays right', async () => {
    const { documents } = await connectedHub();
    expect(documents).toEqual([{ policy: { servers: ['a', 'b', 'c'] }, $version: 1 }]);
    simulator().edgeHub.patchDesired({ policy: { servers: ['z'] }, other: 1 });
    simulator().edgeHub.patchDesired({ other: null });
    await eventually(() => documents.slice(1)).toEqual([
      { policy: { servers: ['z'] }, other: 1, $version: 2 },
      { policy: { servers: ['z'] }, $version: 3 },
    ]);
  });

  test('that change while they are read are not lost', async () => {
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

  /** Opens sessions on which some pushes never arrive. */
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

  test('of which a push was lost are found when they are read now and then', async () => {
    const { documents } = await connectedHub({
      timings: { ...patientTimings, reread: 0.1 },
      open: losing(() => true),
    });
    simulator().edgeHub.patchDesired({ other: 1 });
    await eventually(() => documents.at(-1)).toMatchObject({ other: 1, $version: 2 });
    expect(counters().connects).toBe(1);
  });

  test('of which a push was lost are read as soon as the next one comes', async () => {
    const { documents } = await connectedHub({ open: losing((version) => version === 2) });
    simulator().edgeHub.patchDesired({ lost: 1 });
    simulator().edgeHub.patchDesired({ other: 1 });
    await eventually(() => documents.slice(1)).toEqual([
      { policy: { servers: ['a', 'b', 'c'] }, lost: 1, other: 1, $version: 3 },
    ]);
    expect(counters().twinReads).toBe(3);
  });

  test('that edgeHub makes up while it is offline are neither heard nor asked for in a loop', async () => {
    const hub = await connectedHub({ open: losing((version) => version === 2) });
    await set({ twin: 'offline' });
    simulator().edgeHub.patchDesired({ lost: 1 });
    simulator().edgeHub.patchDesired({ other: 1 });
    await eventually(() => counters().twinReads).toBe(3);
    // What must be read is read before anything is sent.
    hub.report({ a: 1 }, 60, true);
    await eventually(reported).toMatchObject({ a: 1 });
    await set({ dropConnections: true });
    await eventually(() => counters().twinReads).toBe(5);
    await eventually(hub.state).toBe('connected');
    hub.report({ a: 2 }, 60, true);
    await eventually(reported).toMatchObject({ a: 2 });

    expect(counters().twinReads).toBe(5);
    expect(hub.documents).toEqual([{ policy: { servers: ['a', 'b', 'c'] }, $version: 1 }]);
  });

  test('that edgeHub does not know are said once, and asked for again soon', async () => {
    await set({ twin: 'offline' });
    const hub = await connectedHub({ timings: { ...patientTimings, rereadUnknown: 0.05 } });
    await eventually(() => counters().twinReads).toBeGreaterThan(4);
    expect(hub.logged.map(({ text }) => text)).toEqual([
      'edgeHub does not know the twin yet, nothing changes until it does',
      'Connected to edgeHub',
    ]);
    await set({ twin: 'normal' });
    await eventually(() => hub.documents).toEqual([{ policy: { servers: ['a', 'b', 'c'] }, $version: 1 }]);
    expect(counters().connects).toBe(1);
  });

  test('are heard once edgeHub knows them, when it was offline at first', async () => {
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
  test('go as differences from what was acknowledged, and are counted', async () => {
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

  test('are counted in the metrics, patches and bytes apart', async () => {
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

  test('before the first connection are kept: the last', async () => {
    await set({ down: true });
    const hub = hubOf();
    hub.report({ a: 1 }, 60, true);
    hub.report({ a: 2, b: 1 }, 60, true);
    await set({ down: false });
    await eventually(reported).toEqual({ a: 2, b: 1, $version: 2 });
    expect(counters().reportedUpdates).toBe(1);
  });

  test('of an earlier life of the module are made right by a difference', async () => {
    const first = await connectedHub();
    first.report({ checks: { old: 1, same: 2 } }, 0, false);
    await eventually(reported).toMatchObject({ checks: { old: 1 } });
    await first.close(AbortSignal.timeout(5000));
    const second = await connectedHub();
    second.report({ checks: { same: 2, fresh: 3 } }, 60, false);
    await eventually(reported).toEqual({ checks: { same: 2, fresh: 3 }, $version: 3 });
  });

  test('are taken from what was acknowledged when edgeHub, offline, makes up a twin that is empty', async () => {
    const hub = await connectedHub();
    hub.report({ checks: { old: 1, same: 2 } }, 60, true);
    await eventually(reported).toMatchObject({ checks: { old: 1 } });
    await set({ twin: 'offline', dropConnections: true });
    await eventually(() => counters().twinReads).toBe(4);
    hub.report({ checks: { same: 2 } }, 60, true);
    await eventually(reported).toEqual({ checks: { same: 2 }, $version: 3 });
  });

  test('that were refused are sent again after the interval, with all that has come since', async () => {
    const hub = await connectedHub();
    hub.report({ a: 1, b: 1 }, 0.05, false);
    await eventually(reported).toMatchObject({ a: 1 });
    await set({ reported: 'empty400' });
    hub.report({ a: 2 }, 0.05, false);
    await eventually(() => counters().reportedUpdates).toBeGreaterThan(2);
    expect(hub.logged.at(-1)?.text).toBe('The report was refused, it will be sent again');
    expect(reported()).toEqual({ a: 1, b: 1, $version: 2 });
    expect(hub.state()).toBe('connected');
    hub.report({ b: 2 }, 0.05, false);
    await set({ reported: 'normal' });
    await eventually(reported).toEqual({ a: 2, b: 2, $version: 3 });
    // The same session all the time.
    expect(counters().connects).toBe(1);
  });

  test('that IoT Hub would refuse are not sent, and hold up nothing else', async () => {
    const hub = await connectedHub();
    hub.report({ 'a.b': 1 }, 60, true);
    await eventually(() => hub.logged.at(-1)?.text).toBe('The report is not sent, IoT Hub would refuse it');
    hub.send({ output: 'alerts', body: 1, properties: {} });
    await eventually(() => simulator().edgeHub.messages()).toHaveLength(1);
    expect(counters().reportedUpdates).toBe(0);
  });

  test('without an answer cost the session, and are sent again by the next', async () => {
    const hub = await connectedHub({ timings: shortTimings });
    await set({ reported: 'silent' });
    hub.report({ a: 1 }, 60, true);
    await eventually(() => hub.logged.map(({ error }) => error)).toContain('No answer within 0.3 s');
    expect(hub.state()).toBe('offline');
    await set({ reported: 'normal' });
    await eventually(reported).toEqual({ a: 1, $version: 2 });
    expect(counters().connects).toBeGreaterThan(1);
  });
});

describe('messages', () => {
  test('are kept in their order while there is no connection', async () => {
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

  test('that could never be sent are dropped, said, and hold up nothing', async () => {
    const hub = await connectedHub();
    hub.send({ output: 'alerts', body: 'x'.repeat(300_000), properties: {} });
    hub.send({ output: 'alerts', body: 'short', properties: {} });
    await eventually(() => simulator().edgeHub.messages()).toMatchObject([{ body: 'short' }]);
    expect(hub.logged.at(-1)?.text).toBe('A message is dropped, it could never be sent');
    expect(counters().connects).toBe(1);
  });
});

import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openSession } from '../../src/hub/session.ts';
import { deviceForEach, shortTimings, startedHub, withEnvironment } from '../support/hub.ts';
import { tcpServer } from '../support/servers.ts';
import { eventually } from '../support/simulator.ts';

const { connectedHub, counters, hubOf, reported, set, simulator } = deviceForEach({ policy: {} });

/** edgeHub behind a road that can be closed: nothing arrives any more, and no connection ends. */
async function road() {
  let open = true;
  const server = await tcpServer((here) => {
    const there = connect(simulator().hubPort, 'localhost');
    there.on('error', () => here.destroy());
    onTestFinished(() => void there.destroy());
    here.on('close', () => there.destroy());
    there.on('close', () => here.destroy());
    here.on('data', (bytes) => open && there.write(bytes));
    there.on('data', (bytes) => open && here.write(bytes));
  });
  withEnvironment({ ...simulator().environment, IOTEDGE_GATEWAYHOSTNAME: `localhost:${server.port}` });
  return {
    server,
    close() {
      open = false;
    },
    reopen() {
      open = true;
    },
  };
}

test('a hub that falls silent on an open connection is left, and found again', async () => {
  const { close, reopen } = await road();
  const hub = startedHub({ timings: { ...shortTimings, call: 1 } });
  await eventually(hub.state).toBe('connected');
  close();
  hub.report({ a: 1 }, 60, true);
  hub.send({ output: 'alerts', body: 1, properties: {} });
  await eventually(hub.state).toBe('offline');
  reopen();
  await eventually(reported).toMatchObject({ a: 1 });
  await eventually(() => simulator().edgeHub.messages()).toHaveLength(1);
});

describe('close', () => {
  const sayAndClose = async (hub: ReturnType<typeof startedHub>, seconds: number) => {
    hub.report({ last: true }, 3600, false);
    hub.send({ output: 'alerts', body: 'last', properties: {} });
    const startedAt = performance.now();
    await hub.close(AbortSignal.timeout(seconds * 1000));
    return (performance.now() - startedAt) / 1000;
  };

  test('sends the last report, interval or not, and the last messages, and does not wait longer', async () => {
    const hub = await connectedHub();
    hub.report({ first: true }, 3600, false);
    await eventually(reported).toMatchObject({ first: true });
    const seconds = await sayAndClose(hub, 15);
    expect(reported()).toEqual({ first: true, last: true, $version: 3 });
    expect(simulator().edgeHub.messages()).toMatchObject([{ body: 'last' }]);
    expect(seconds).toBeLessThan(14);
    await eventually(() => counters().connectedClients).toBe(0);
    expect(counters().connects).toBe(1);
  });

  test('does not wait for a report that is refused', async () => {
    const hub = await connectedHub();
    await set({ reported: 'empty400' });
    expect(await sayAndClose(hub, 15)).toBeLessThan(14);
    expect(simulator().edgeHub.messages()).toMatchObject([{ body: 'last' }]);
  });

  test.each([
    ['does not answer reports', async () => void (await set({ reported: 'silent' }))],
    ['does not answer anything', async ({ close }: Awaited<ReturnType<typeof road>>) => close()],
  ])('returns within its deadline when the hub %s', async (_what, spoil) => {
    const way = await road();
    const hub = startedHub();
    await eventually(hub.state).toBe('connected');
    await spoil(way);
    // A second for the close of the session itself, and two for a busy machine.
    expect(await sayAndClose(hub, 0.2)).toBeLessThan(3.2);
    await eventually(() => way.server.connections.every(({ destroyed }) => destroyed)).toBe(true);
  });

  test.each([
    ['down', { down: true }],
    ['refusing', { rejectSas: true }],
  ])('returns at once when the hub is %s', async (_what, fault) => {
    await set(fault);
    const hub = hubOf();
    await eventually(hub.state).toBe('offline');
    expect(await sayAndClose(hub, 15)).toBeLessThan(14);
  });

  test('returns at once while the first connection is on its way, which then is closed', async () => {
    const hub = hubOf();
    expect(await sayAndClose(hub, 15)).toBeLessThan(14);
    await eventually(() => counters().disconnects).toBe(counters().connects);
    await eventually(() => counters().connectedClients).toBe(0);
  });

  test('closes a session that opens too late, when nobody waits for it any more', async () => {
    let enter = () => {};
    const gate = new Promise<void>((resolve) => {
      enter = resolve;
    });
    const hub = hubOf({
      async open(methods, events) {
        await gate;
        return openSession(methods, events, new AbortController().signal);
      },
    });
    await hub.close(AbortSignal.abort());
    enter();
    await eventually(() => counters().connects).toBe(1);
    await eventually(() => counters().disconnects).toBe(1);
  });

  test('is the end: nothing connects any more', async () => {
    const hub = await connectedHub();
    await hub.close(AbortSignal.timeout(5000));
    expect(hub.state()).toBe('offline');
    hub.report({ a: 1 }, 0, true);
    await hub.close(AbortSignal.timeout(5000));
    expect(counters().connects).toBe(1);
  });
});

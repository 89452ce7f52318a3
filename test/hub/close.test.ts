import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  deviceForEach,
  openSession,
  shortTimings,
  startedHub,
  withEnvironment,
} from '../support/servers/hub.ts';
import { eventually } from '../support/servers/simulator.ts';
import { tcpServer } from '../support/servers/tcp.ts';

const { connectedHub, counters, hubOf, reported, set, simulator } = deviceForEach({ policy: {} });

/** A proxy in front of edgeHub that can drop all traffic without closing a connection. */
async function droppingProxy() {
  let forwarding = true;
  const server = await tcpServer((here) => {
    const there = connect(simulator().hubPort, 'localhost');
    there.on('error', () => here.destroy());
    onTestFinished(() => void there.destroy());
    here.on('close', () => there.destroy());
    there.on('close', () => here.destroy());
    here.on('data', (bytes) => forwarding && there.write(bytes));
    there.on('data', (bytes) => forwarding && here.write(bytes));
  });
  withEnvironment({ ...simulator().environment, IOTEDGE_GATEWAYHOSTNAME: `localhost:${server.port}` });
  return {
    server,
    dropTraffic() {
      forwarding = false;
    },
    forwardAgain() {
      forwarding = true;
    },
  };
}

test('a hub that stops responding on an open connection is disconnected and connected again', async () => {
  const { dropTraffic, forwardAgain } = await droppingProxy();
  const hub = startedHub({ timings: { ...shortTimings, read: 1, report: 1 } });
  await eventually(hub.state).toBe('connected');
  dropTraffic();
  hub.report({ a: 1 }, 60, true);
  hub.send({ output: 'alerts', body: 1, properties: {} });
  await eventually(hub.state).toBe('offline');
  forwardAgain();
  await eventually(reported).toMatchObject({ a: 1 });
  await eventually(() => simulator().edgeHub.messages()).toHaveLength(1);
});

describe('close', () => {
  const sendAndClose = async (hub: ReturnType<typeof startedHub>, seconds: number) => {
    hub.report({ last: true }, 3600, false);
    hub.send({ output: 'alerts', body: 'last', properties: {} });
    const startedAt = performance.now();
    await hub.close(AbortSignal.timeout(seconds * 1000));
    return (performance.now() - startedAt) / 1000;
  };

  test('sends the last report without waiting for the interval and the last messages, and then returns', async () => {
    const hub = await connectedHub();
    hub.report({ first: true }, 3600, false);
    await eventually(reported).toMatchObject({ first: true });
    const seconds = await sendAndClose(hub, 15);
    expect(reported()).toEqual({ first: true, last: true, $version: 3 });
    expect(simulator().edgeHub.messages()).toMatchObject([{ body: 'last' }]);
    expect(seconds).toBeLessThan(14);
    await eventually(() => counters().connectedClients).toBe(0);
    expect(counters().connects).toBe(1);
  });

  test('does not wait for a report that is rejected', async () => {
    const hub = await connectedHub();
    await set({ reported: 'empty400' });
    expect(await sendAndClose(hub, 15)).toBeLessThan(14);
    expect(simulator().edgeHub.messages()).toMatchObject([{ body: 'last' }]);
  });

  test.each([
    ['does not acknowledge reports', async () => void (await set({ reported: 'silent' }))],
    [
      'does not respond at all',
      async ({ dropTraffic }: Awaited<ReturnType<typeof droppingProxy>>) => dropTraffic(),
    ],
  ])('returns within its deadline when the hub %s', async (_what, breakIt) => {
    const proxy = await droppingProxy();
    const hub = startedHub();
    await eventually(hub.state).toBe('connected');
    await breakIt(proxy);
    // One second to close the session itself, and two for a busy machine.
    expect(await sendAndClose(hub, 0.2)).toBeLessThan(3.2);
    await eventually(() => proxy.server.connections.every(({ destroyed }) => destroyed)).toBe(true);
  });

  test.each([
    ['down', { down: true }],
    ['rejecting the token', { rejectSas: true }],
  ])('returns at once when the hub is %s', async (_what, fault) => {
    await set(fault);
    const hub = hubOf();
    await eventually(hub.state).toBe('offline');
    expect(await sendAndClose(hub, 15)).toBeLessThan(14);
  });

  test('returns at once while the first connection is being opened, which is then closed', async () => {
    const hub = hubOf();
    expect(await sendAndClose(hub, 15)).toBeLessThan(14);
    await eventually(() => counters().disconnects).toBe(counters().connects);
    await eventually(() => counters().connectedClients).toBe(0);
  });

  test('closes a session that opens after the hub was closed', async () => {
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

  test('is final: nothing connects afterwards', async () => {
    const hub = await connectedHub();
    await hub.close(AbortSignal.timeout(5000));
    expect(hub.state()).toBe('offline');
    hub.report({ a: 1 }, 0, true);
    await hub.close(AbortSignal.timeout(5000));
    expect(counters().connects).toBe(1);
  });
});

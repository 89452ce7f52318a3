import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, onTestFinished, test } from 'vitest';
import { never } from '../../../src/deadline.ts';
import { dial, wasAccepted } from '../../../src/host/network/dial.ts';
import { network } from '../../support/fixtures/host-network.ts';
import { refusedPort } from '../../support/servers/tcp.ts';

/**
 * A server in another thread that resets every connection at once, and a function that blocks this thread until it has
 * done so: the connection is then accepted and reset before this process sees either.
 */
async function resettingServer() {
  const resets = new Int32Array(new SharedArrayBuffer(4));
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    const server = require('node:net').createServer((socket) => {
      socket.on('error', () => undefined).on('close', () => {
        Atomics.add(workerData, 0, 1);
        Atomics.notify(workerData, 0);
      });
      socket.resetAndDestroy();
    });
    server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`;
  const worker = new Worker(code, { eval: true, workerData: resets });
  onTestFinished(async () => void (await worker.terminate()));
  const [port] = (await once(worker, 'message')) as [number];
  const waitForReset = () => void Atomics.wait(resets, 0, 0, 10_000);
  return { port, waitForReset };
}

/** Runs `wait` once the request for a connection has been sent, which `connect` does in the next tick. */
function afterRequest<T>(connecting: Promise<T>, wait: () => void): Promise<T> {
  process.nextTick(wait);
  return connecting;
}

describe('a connection that is reset as soon as it is accepted', () => {
  test('was accepted', async () => {
    const { port, waitForReset } = await resettingServer();
    const error: unknown = await afterRequest(dial(['127.0.0.1'], port, never), waitForReset).catch((e) => e);
    expect(error).toMatchObject({
      reason: 'tls_failed',
      message: `127.0.0.1:${port} accepted the connection and reset it at once (ECONNRESET)`,
    });
    expect(wasAccepted(error)).toBe(true);
  });

  test('is reached by a tcp probe, whenever the reset arrives', async () => {
    const { port, waitForReset } = await resettingServer();
    // The probe connects once its name is resolved, in the same turn of the event loop.
    const resolve = async () => {
      queueMicrotask(() => queueMicrotask(() => queueMicrotask(() => process.nextTick(waitForReset))));
      return ['127.0.0.1'];
    };
    const { failure } = await network({ resolve }).probe({ scheme: 'tcp', host: 'hub.test', port }, never);
    expect(failure).toBeUndefined();
  });

  test('fails a tls probe in the handshake', async () => {
    const { port, waitForReset } = await resettingServer();
    const resolve = async () => {
      queueMicrotask(() => queueMicrotask(() => queueMicrotask(() => process.nextTick(waitForReset))));
      return ['127.0.0.1'];
    };
    const { failure } = await network({ resolve }).probe({ scheme: 'tls', host: 'hub.test', port }, never);
    expect(failure).toMatchObject({ reason: 'tls_failed', detail: expect.stringContaining('ECONNRESET') });
  });
});

test('a refused connection was not accepted', async () => {
  const error: unknown = await dial(['127.0.0.1'], await refusedPort(), never).catch((e) => e);
  expect(error).toMatchObject({ reason: 'refused' });
  expect(wasAccepted(error)).toBe(false);
});

test('a link-local address without a zone is one that this device has no route to', async () => {
  await expect(dial(['fe80::5'], 53, never)).rejects.toMatchObject({
    reason: 'refused',
    message: expect.stringMatching(
      /^\[fe80::5\]:53 (is a link-local address without a zone, which this device has no route to|needs IPv6, .*) \(E\w+\)$/,
    ),
  });
});

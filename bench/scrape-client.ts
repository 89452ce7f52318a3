import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { isComplete } from './programs/response.ts';
import type { Gets } from './programs/scrapes.ts';

// A process of its own, so that nothing but the requests delays them: raw sockets, and no parsing of headers.
process.on('message', (gets: Gets) => {
  timeGets(gets).then(
    (seconds) => process.send?.(seconds),
    (error: unknown) => {
      process.stderr.write(`${error}\n`);
      process.exit(1);
    },
  );
});

const timeoutMs = 30_000;

/** The duration of each request in seconds, to the last byte; with `new`, from connecting. */
async function timeGets({ url, count, seconds: duration, connections, reuse }: Gets): Promise<number[]> {
  const { hostname, port, pathname } = new URL(url);
  // Prometheus's Accept-Encoding.
  const request = Buffer.from(
    `GET ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAccept-Encoding: gzip\r\n${reuse ? '' : 'Connection: close\r\n'}\r\n`,
  );
  const open = () => connect(Number(port), hostname).setNoDelay().setTimeout(timeoutMs);
  const end = performance.now() + duration * 1000;
  async function sequence(): Promise<number[]> {
    const seconds: number[] = [];
    let socket: Socket | undefined;
    if (reuse) {
      socket = open();
      await once(socket, 'connect');
    }
    while (seconds.length < count || performance.now() < end) {
      const started = performance.now();
      const used = socket ?? open();
      await exchange(used, request);
      seconds.push((performance.now() - started) / 1000);
      if (!reuse) used.destroy();
    }
    socket?.destroy();
    return seconds;
  }
  return (await Promise.all(Array.from({ length: connections }, sequence))).flat();
}

/** Sends a request; resolves once its response is complete. */
function exchange(socket: Socket, request: Buffer): Promise<void> {
  let received: Buffer = Buffer.alloc(0);
  return new Promise((resolve, reject) => {
    const fail = () => reject(new Error(`No complete response: ${received.toString('latin1', 0, 200)}`));
    const read = (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      if (!isComplete(received)) return;
      socket.removeAllListeners();
      if (received.toString('latin1', 0, 12) === 'HTTP/1.1 200') resolve();
      else fail();
    };
    socket.on('data', read).once('timeout', fail).once('error', reject).once('close', fail);
    socket.write(request);
  });
}

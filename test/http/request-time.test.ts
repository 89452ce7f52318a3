import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setInterval } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { limitRequestTime, type RequestTimes } from '../../src/http/request-time.ts';

const long = 3_600_000;
const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const answer: RequestListener = (_, response) => void response.end('page');

async function limited(times: RequestTimes, listener = answer): Promise<Server> {
  const server = createServer({ headersTimeout: 0, requestTimeout: 0, keepAliveTimeout: 0 }, listener);
  limitRequestTime(server, times);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return server;
}

function client(server: Server) {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').setEncoding('latin1');
  onTestFinished(() => void socket.destroy());
  let received = '';
  socket.on('data', (chunk: string) => {
    received += chunk;
  });
  // The server may reset the connection.
  socket.on('error', () => {});
  return { socket, closed: once(socket, 'close'), received: () => received };
}

/** Sends the text over and over, with pauses, until the connection is closed. */
async function drip(socket: Socket, text: string): Promise<void> {
  for await (const _ of setInterval(5)) {
    if (socket.destroyed) return;
    socket.write(text);
  }
}

const statuses = (received: string) => received.match(/HTTP\/1\.1 \d+/g) ?? [];

describe('a connection is closed in time', () => {
  test('when it sends nothing', async () => {
    const { closed, received } = client(await limited({ first: 50, next: long }));
    await closed;
    expect(received()).toBe('');
  });

  test('with a 408 when its headers are incomplete', async () => {
    const { socket, closed, received } = client(await limited({ first: 100, next: long }));
    socket.write('GET / HTTP/1.1\r\nX: ');
    await closed;
    expect(statuses(received())).toEqual(['HTTP/1.1 408']);
  });

  // A byte that the server has not read when it closes makes it a reset, which can overtake the 408.
  test('when its headers never end', async () => {
    const { socket, closed } = client(await limited({ first: 100, next: long }));
    socket.write('GET / HTTP/1.1\r\nX: ');
    await drip(socket, 'x');
    await closed;
  });

  test('when it sends nothing after a response', async () => {
    const { socket, closed, received } = client(await limited({ first: long, next: 50 }));
    socket.write(request);
    await closed;
    expect(statuses(received())).toEqual(['HTTP/1.1 200']);
  });

  test('when the headers of its next request never end', async () => {
    const { socket, closed, received } = client(await limited({ first: long, next: 100 }));
    socket.write(`${request}GET / HTTP/1.1\r\nX: `);
    await drip(socket, 'x');
    await closed;
    expect(statuses(received())[0]).toBe('HTTP/1.1 200');
  });

  test('when the body of its request never ends', async () => {
    const { socket, closed, received } = client(await limited({ first: long, next: 100 }));
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n');
    await drip(socket, 'x');
    await closed;
    expect(statuses(received())[0]).toBe('HTTP/1.1 200');
  });
});

describe('a connection stays open', () => {
  /** Resolves when a client that connects now and sends nothing has been closed: later than any deadline set before. */
  const deadline = (server: Server) => client(server).closed;

  test('while its request is handled', async () => {
    const handled: (() => void)[] = [];
    const server = await limited({ first: 500, next: long }, (_, response) => {
      handled.push(() => void response.end('page'));
    });
    const { socket, received } = client(server);
    socket.write(request);
    await once(server, 'request');
    await deadline(server);
    for (const respond of handled) respond();
    await once(socket, 'data');
    expect(statuses(received())).toEqual(['HTTP/1.1 200']);
  });

  test('while its response is read', async () => {
    const body = Buffer.alloc(16 * 1_048_576, 'x');
    const server = await limited({ first: 500, next: 1 }, (_, response) => void response.end(body));
    const { socket, received } = client(server);
    socket.pause().write(request);
    await once(server, 'request');
    await deadline(server);
    socket.resume();
    await once(socket, 'close');
    expect(received().length).toBeGreaterThan(body.length);
  });

  test('as long as its requests are in time', async () => {
    const server = await limited({ first: 500, next: 500 });
    const { socket, received } = client(server);
    let over = false;
    const enough = deadline(server)
      .then(() => deadline(server))
      .then(() => {
        over = true;
      });
    let sent = 0;
    while (!over) {
      socket.write(request);
      sent += 1;
      await once(socket, 'data');
    }
    await enough;
    expect(statuses(received())).toHaveLength(sent);
  });
});

test('a thousand closed connections leave no timer', async () => {
  const server = await limited({ first: long, next: long });
  // Includes a few of the test runner.
  const timers = () => process.getActiveResourcesInfo().filter((type) => type === 'Timeout').length;
  const before = timers();
  let most = 0;
  let closed = 0;
  const allClosed = new Promise<void>((resolve) => {
    server.on('connection', (socket) => {
      most = Math.max(most, timers() - before);
      socket.once('close', () => {
        closed += 1;
        if (closed === 1000) resolve();
      });
    });
  });
  for (let batch = 0; batch < 10; batch += 1) {
    const clients = Array.from({ length: 100 }, () => client(server));
    for (const [i, { socket }] of clients.entries()) {
      // Half of them close between requests, the others before the first.
      if (i % 2 === 0) socket.once('data', () => socket.end()).write(request);
      else socket.end();
    }
    await Promise.all(clients.map(({ closed }) => closed));
  }
  await allClosed;
  expect(most).toBeGreaterThan(0);
  expect(timers() - before).toBeLessThan(50);
});

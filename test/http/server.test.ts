import { once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Routes, serve, text } from '../../src/http/server.ts';

const errors: unknown[] = [];
const broken = new Error('broken');
const routes: Routes = {
  '/': () => ({ type: 'text/html; charset=utf-8', body: '<p>ü</p>' }),
  '/later': async () => text(503, 'not yet'),
  '/large': () => text(200, 'x'.repeat(64 * 1_048_576)),
  '/throws': () => {
    throw broken;
  },
  '/rejects': () => Promise.reject(broken),
};

let server: Server;
let port: number;
beforeAll(async () => {
  server = await serve(routes, '127.0.0.1', 0, (error) => errors.push(error));
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

const get = (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${port}${path}`, init);

/** What the server sends in response to these bytes until it closes the connection. */
async function raw(bytes: string, to = port): Promise<string> {
  const socket = connect(to, '127.0.0.1');
  let received = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    received += chunk;
  });
  // The server may reset the connection.
  socket.on('error', () => {});
  socket.write(bytes);
  await once(socket, 'close');
  return received;
}

test('a route has its type, its length and restrictive headers', async () => {
  const response = await get('/');
  expect(response.status).toBe(200);
  expect(await response.text()).toBe('<p>ü</p>');
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'content-length': '9',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-security-policy': expect.stringContaining("default-src 'none'"),
  });
});

test('a query is ignored', async () => {
  expect((await get('/?a=/later')).status).toBe(200);
});

test('a route has its own status', async () => {
  const response = await get('/later');
  expect([response.status, await response.text()]).toEqual([503, 'not yet\n']);
});

test('HEAD has the response of GET without the body', async () => {
  const answer = await raw('HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(answer.toLowerCase()).toContain('content-length: 9\r\n');
  expect(answer.split('\r\n\r\n')[1]).toBe('');
});

describe('an unknown path is a 404 that lists the known ones', () => {
  test.each([
    '/nothing',
    '//',
    '/later/',
    '/LATER',
    '/__proto__',
    '/constructor',
    '/toString',
    '/%2e%2e/etc/passwd',
  ])('%s', async (path) => {
    const response = await get(path);
    expect([response.status, await response.text()]).toEqual([
      404,
      'Not found. Available: / /later /large /throws /rejects\n',
    ]);
  });

  test.each(['__proto__', 'http://elsewhere.test/', '/../../etc/passwd'])(
    '%s, sent unchanged',
    async (path) => {
      const answer = await raw(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 40[04] /);
    },
  );
});

test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])(
  '%s is rejected without calling a handler',
  async (method) => {
    const response = await get('/throws', { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect(errors).toEqual([]);
  },
);

test('the body of another method is not read', async () => {
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n';
  expect(await raw(`${head}some of it`)).toMatch(/^HTTP\/1\.1 405 /);
});

test.each(['/throws', '/rejects'])(
  'a failing handler at %s is a 500 and has no other effect',
  async (path) => {
    errors.length = 0;
    const response = await get(path);
    expect([response.status, await response.text()]).toEqual([500, 'Internal error\n']);
    expect(errors.splice(0)).toEqual([broken]);
    expect((await get('/')).status).toBe(200);
  },
);

describe('the server rejects', () => {
  test.each([
    ['bytes that are not HTTP', 'hello\r\n\r\n', 400],
    ['a TLS hello', '\u0016\u0003\u0001\u0002\u0000\u0001', 400],
    [
      'two content lengths',
      'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      400,
    ],
    ['headers of 9 KB', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(9000)}\r\n\r\n`, 431],
    ['a URL of 9 KB', `GET /${'x'.repeat(9000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431],
  ])('%s', async (_, bytes, status) => {
    expect(await raw(bytes)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect((await get('/')).status).toBe(200);
  });

  test.concurrent('headers that never end', async () => {
    const startedAt = performance.now();
    expect(await raw('GET / HTTP/1.1\r\nHost: a\r\n')).toMatch(/^HTTP\/1\.1 408 /);
    expect(performance.now() - startedAt).toBeLessThan(15_000);
  });

  test.concurrent('a client that does not read the response', async ({ onTestFinished }) => {
    const own = await serve(routes, '127.0.0.1', 0, (error) => errors.push(error));
    onTestFinished(() => void own.close());
    const cutOff = once(own, 'connection').then(([socket]) => once(socket, 'close'));
    const socket = connect((own.address() as AddressInfo).port, '127.0.0.1').pause();
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    socket.write('GET /large HTTP/1.1\r\nHost: a\r\n\r\n');
    await cutOff;
  });

  test.concurrent('a connection without a request', async () => {
    expect(await raw('')).toMatch(/^(HTTP\/1\.1 408 |$)/);
  });
});

describe('a connection has one response at a time', () => {
  /** A server that counts how often its only page was rendered. */
  async function counted(body: string) {
    let rendered = 0;
    const page = () => {
      rendered += 1;
      return text(200, body);
    };
    const own = await serve({ '/': page }, '127.0.0.1', 0, (error) => errors.push(error));
    onTestFinished(() => {
      own.close();
      own.closeAllConnections();
    });
    const ended = once(own, 'connection').then(([socket]) => once(socket, 'close'));
    return { own, port: (own.address() as AddressInfo).port, ended, rendered: () => rendered };
  }
  const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

  function unreading(to: number): Socket {
    const socket = connect(to, '127.0.0.1').pause();
    onTestFinished(() => void socket.destroy());
    return socket.on('error', () => {});
  }

  test('two requests at once get the first response, and the connection is closed', async () => {
    const { port, rendered } = await counted('page');
    const received = await raw(request + request, port);
    expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200']);
    expect(received.toLowerCase()).toContain('connection: close\r\n');
    expect(received).toMatch(/page\n$/);
    expect(rendered()).toBe(1);
  });

  test('ten thousand pipelined requests of a client that does not read are cut off', async () => {
    const { port, ended, rendered } = await counted('x'.repeat(1000));
    unreading(port).write(request.repeat(10_000));
    await ended;
    expect(rendered()).toBeLessThan(10);
  });

  test('no response is rendered for a client that has not read the previous one', async () => {
    const { own, port, rendered } = await counted('x'.repeat(64 * 1_048_576));
    const socket = unreading(port);
    const first = once(own, 'request');
    socket.write(request);
    await first;
    const second = once(own, 'request');
    socket.write(request);
    await second;
    expect(rendered()).toBe(1);
  });

  test('a client that waits for each response keeps its connection', async () => {
    const { port, rendered } = await counted('page');
    const socket = connect(port, '127.0.0.1').setEncoding('utf8');
    onTestFinished(() => void socket.destroy());
    for (let count = 0; count < 20; count += 1) {
      let received = '';
      socket.write(request);
      while (!received.endsWith('page\n')) received += (await once(socket, 'data'))[0];
      expect(received).toMatch(/^HTTP\/1\.1 200 /);
    }
    expect(rendered()).toBe(20);
  });
});

test('idle connections do not block other clients', async () => {
  const own = await serve(routes, '127.0.0.1', 0, (error) => errors.push(error));
  onTestFinished(() => {
    own.close();
    own.closeAllConnections();
  });
  const { port } = own.address() as AddressInfo;
  const lingering = Array.from({ length: 200 }, () => connect(port, '127.0.0.1').on('error', () => {}));
  onTestFinished(() => lingering.forEach((socket) => void socket.destroy()));
  const first = lingering[0];
  const cutOff = first && once(first, 'close');
  for (const socket of lingering) socket.write('GET / HTTP/1.1\r\nHost: ');
  await cutOff;
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
  const connections = await new Promise((resolve) => own.getConnections((_, count) => resolve(count)));
  expect(connections).toBeLessThanOrEqual(64);
});

test('a port in use is an error', async () => {
  await expect(serve(routes, '127.0.0.1', port, () => {})).rejects.toThrow('EADDRINUSE');
});

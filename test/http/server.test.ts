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

/** What the server says to these bytes until it ends the connection. */
async function raw(bytes: string, to = port): Promise<string> {
  const socket = connect(to, '127.0.0.1');
  let said = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    said += chunk;
  });
  // A reset is one way to be cut off.
  socket.on('error', () => {});
  socket.write(bytes);
  await once(socket, 'close');
  return said;
}

test('a route is answered with its type, length and headers that let nothing else in', async () => {
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

test('a query changes nothing', async () => {
  expect((await get('/?a=/later')).status).toBe(200);
});

test('a route has its own status', async () => {
  const response = await get('/later');
  expect([response.status, await response.text()]).toEqual([503, 'not yet\n']);
});

test('HEAD is answered as GET is, without the body', async () => {
  const answer = await raw('HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(answer.toLowerCase()).toContain('content-length: 9\r\n');
  expect(answer.split('\r\n\r\n')[1]).toBe('');
});

describe('what is not there is a 404 that says what is', () => {
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
      'Nothing here; there is / /later /large /throws /rejects\n',
    ]);
  });

  test.each(['__proto__', 'http://elsewhere.test/', '/../../etc/passwd'])('%s as it stands', async (path) => {
    const answer = await raw(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 40[04] /);
  });
});

test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])(
  '%s is refused, and no handler hears of it',
  async (method) => {
    const response = await get('/throws', { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect(errors).toEqual([]);
  },
);

test('a body nobody asked for is not waited for', async () => {
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n';
  expect(await raw(`${head}some of it`)).toMatch(/^HTTP\/1\.1 405 /);
});

test.each(['/throws', '/rejects'])(
  'a handler that fails at %s costs a 500 and nothing else',
  async (path) => {
    errors.length = 0;
    const response = await get(path);
    expect([response.status, await response.text()]).toEqual([500, 'Internal error\n']);
    expect(errors.splice(0)).toEqual([broken]);
    expect((await get('/')).status).toBe(200);
  },
);

describe('cut off are', () => {
  test.each([
    ['what is no HTTP', 'hello\r\n\r\n', 400],
    ['a TLS hello', '\u0016\u0003\u0001\u0002\u0000\u0001', 400],
    ['two lengths', 'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
    ['headers of 9 KB', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(9000)}\r\n\r\n`, 431],
    ['an address of 9 KB', `GET /${'x'.repeat(9000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431],
  ])('%s', async (_, bytes, status) => {
    expect(await raw(bytes)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect((await get('/')).status).toBe(200);
  });

  test.concurrent('headers that never end', async () => {
    const began = performance.now();
    expect(await raw('GET / HTTP/1.1\r\nHost: a\r\n')).toMatch(/^HTTP\/1\.1 408 /);
    expect(performance.now() - began).toBeLessThan(15_000);
  });

  test.concurrent('whoever asks and does not read the answer', async ({ onTestFinished }) => {
    const own = await serve(routes, '127.0.0.1', 0, (error) => errors.push(error));
    onTestFinished(() => void own.close());
    const cutOff = once(own, 'connection').then(([socket]) => once(socket, 'close'));
    const socket = connect((own.address() as AddressInfo).port, '127.0.0.1').pause();
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    socket.write('GET /large HTTP/1.1\r\nHost: a\r\n\r\n');
    await cutOff;
  });

  test.concurrent('a connection that says nothing', async () => {
    expect(await raw('')).toMatch(/^(HTTP\/1\.1 408 |$)/);
  });
});

describe('one connection has one answer at a time', () => {
  /** A server that counts how often its only page was made. */
  async function counted(body: string) {
    let made = 0;
    const page = () => {
      made += 1;
      return text(200, body);
    };
    const own = await serve({ '/': page }, '127.0.0.1', 0, (error) => errors.push(error));
    onTestFinished(() => {
      own.close();
      own.closeAllConnections();
    });
    const ended = once(own, 'connection').then(([socket]) => once(socket, 'close'));
    return { own, port: (own.address() as AddressInfo).port, ended, made: () => made };
  }
  const ask = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

  function silent(to: number): Socket {
    const socket = connect(to, '127.0.0.1').pause();
    onTestFinished(() => void socket.destroy());
    return socket.on('error', () => {});
  }

  test('whoever asks twice without waiting has the first answer, and the connection ends', async () => {
    const { port, made } = await counted('page');
    const said = await raw(ask + ask, port);
    expect(said.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200']);
    expect(said.toLowerCase()).toContain('connection: close\r\n');
    expect(said).toMatch(/page\n$/);
    expect(made()).toBe(1);
  });

  test('ten thousand questions nobody reads the answers of are cut off, not answered', async () => {
    const { port, ended, made } = await counted('x'.repeat(1000));
    silent(port).write(ask.repeat(10_000));
    await ended;
    expect(made()).toBeLessThan(10);
  });

  test('nothing is made for whoever has not read the answer before', async () => {
    const { own, port, made } = await counted('x'.repeat(64 * 1_048_576));
    const socket = silent(port);
    const asked = once(own, 'request');
    socket.write(ask);
    await asked;
    const again = once(own, 'request');
    socket.write(ask);
    await again;
    expect(made()).toBe(1);
  });

  test('whoever waits for each answer keeps the connection', async () => {
    const { port, made } = await counted('page');
    const socket = connect(port, '127.0.0.1').setEncoding('utf8');
    onTestFinished(() => void socket.destroy());
    for (let asked = 0; asked < 20; asked += 1) {
      let said = '';
      socket.write(ask);
      while (!said.endsWith('page\n')) said += (await once(socket, 'data'))[0];
      expect(said).toMatch(/^HTTP\/1\.1 200 /);
    }
    expect(made()).toBe(20);
  });
});

test('connections that ask for nothing keep nobody out', async () => {
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
  const held = await new Promise((resolve) => own.getConnections((_, count) => resolve(count)));
  expect(held).toBeLessThanOrEqual(64);
});

test('a port that is taken is an error that says so', async () => {
  await expect(serve(routes, '127.0.0.1', port, () => {})).rejects.toThrow('EADDRINUSE');
});

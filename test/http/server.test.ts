import { createHook } from 'node:async_hooks';
import { once } from 'node:events';
import { type IncomingMessage, request, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createBody } from '../../src/http/body.ts';
import { type Routes, serve, text } from '../../src/http/server.ts';

const local = { address: '127.0.0.1', port: 0, allowedHosts: [] };
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
  server = await serve(routes, local, (error) => errors.push(error));
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

describe('a rendered body is compressed', () => {
  const page = 'hardening_check_status '.repeat(100);
  const shared = createBody(page);

  async function requested(acceptEncoding: string | undefined, method = 'GET') {
    const own = await serve({ '/': () => ({ type: 'text/plain', body: shared }) }, local, (error) =>
      errors.push(error),
    );
    const { port } = own.address() as AddressInfo;
    const headers = acceptEncoding === undefined ? {} : { 'accept-encoding': acceptEncoding };
    const [response] = (await once(
      request({ host: '127.0.0.1', port, headers, method, agent: false }).end(),
      'response',
    )) as [IncomingMessage];
    const body = Buffer.concat(await response.toArray());
    own.close();
    return { headers: response.headers, body };
  }

  test.each(['gzip', 'deflate, GZIP;q=0.5', 'gzip;q=1.0, identity; q=0.5, *;q=0'])(
    'for a client that accepts %s',
    async (accepted) => {
      const { headers, body } = await requested(accepted);
      expect(headers).toMatchObject({
        'content-encoding': 'gzip',
        vary: 'accept-encoding',
        'content-length': String(body.length),
      });
      expect(gunzipSync(body).toString()).toBe(page);
      expect(body.length).toBeLessThan(page.length / 10);
    },
  );

  test.each([undefined, 'identity', 'gzip;q=0', 'gzip; q=0.000', 'br', '', '*', 'x-gzipped'])(
    'but not for one that accepts %s',
    async (accepted) => {
      const { headers, body } = await requested(accepted);
      expect(headers).not.toHaveProperty('content-encoding');
      expect(headers.vary).toBe('accept-encoding');
      expect(body.toString()).toBe(page);
    },
  );

  test('HEAD has the length of the compressed response', async () => {
    const { headers } = await requested('gzip');
    const { headers: head, body } = await requested('gzip', 'HEAD');
    expect(head['content-length']).toBe(headers['content-length']);
    expect(body).toHaveLength(0);
  });
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
    const own = await serve(routes, local, (error) => errors.push(error));
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
    const own = await serve({ '/': page }, local, (error) => errors.push(error));
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

test('a server without connections has no timer', async () => {
  const timeouts: number[] = [];
  const hook = createHook({
    init(_id, type, _trigger, resource: { readonly _idleTimeout?: number }) {
      if (type === 'Timeout') timeouts.push(resource._idleTimeout ?? 0);
    },
  }).enable();
  const own = await serve(routes, local, (error) => errors.push(error));
  hook.disable();
  own.close();
  const day = 86_400_000;
  // That of Node.js, which cannot be turned off.
  expect(timeouts).toEqual([expect.any(Number)]);
  expect(timeouts[0]).toBeGreaterThan(day);
});

test('idle connections do not block other clients', async () => {
  const own = await serve(routes, local, (error) => errors.push(error));
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

describe('clients that do not read', () => {
  const request = 'GET /unread HTTP/1.1\r\nHost: a\r\n\r\n';
  // More than the buffers of a connection take, and shared as the agent shares it.
  const body = createBody(' '.repeat(16 * 1_048_576));
  const all: Routes = { ...routes, '/unread': () => ({ type: 'text/plain', body }) };

  /** A server under attack: `count` connections from each address request a large page and read nothing of it. */
  async function attacked(addresses: readonly string[], count: number, reconnects = 0) {
    const own = await serve(all, local, (error) => errors.push(error));
    const { port } = own.address() as AddressInfo;
    const seen = { connections: 0, requests: 0, closed: 0 };
    const sockets: Socket[] = [];
    const attack = (localAddress: string): void => {
      const socket = connect({ port, host: '127.0.0.1', localAddress }).pause();
      sockets.push(socket.on('error', () => {}));
      socket.write(request);
    };
    own.on('connection', (socket) => {
      seen.connections += 1;
      const { remoteAddress = '' } = socket;
      socket.on('close', () => {
        seen.closed += 1;
        if (addresses.includes(remoteAddress) && seen.closed <= reconnects) attack(remoteAddress);
      });
    });
    own.on('request', () => {
      seen.requests += 1;
    });
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      own.close();
      own.closeAllConnections();
    });
    for (const address of addresses) for (let i = 0; i < count; i += 1) attack(address);
    await expect
      .poll(() => seen.connections, { timeout: 10_000 })
      .toBeGreaterThanOrEqual(addresses.length * count);
    await expect.poll(() => seen.requests, { timeout: 10_000 }).toBeGreaterThanOrEqual(40);
    return { own, port, seen };
  }

  /** The number of times that the small page was received completely, each time over a new connection. */
  async function scrapes(port: number, localAddress: string, times: number): Promise<number> {
    let complete = 0;
    for (let i = 0; i < times; i += 1) {
      const socket = connect({ port, host: '127.0.0.1', localAddress });
      let received = '';
      socket.setEncoding('utf8').on('data', (chunk: string) => {
        received += chunk;
      });
      socket.on('error', () => {});
      socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      await once(socket, 'close');
      if (received.endsWith('<p>ü</p>')) complete += 1;
    }
    return complete;
  }

  test.each([
    ['another address', ['127.0.0.1'], '127.0.0.2'],
    ['the same address', ['127.0.0.1'], '127.0.0.1'],
    ['an address beside many others', ['127.0.0.3', '127.0.0.4', '127.0.0.5'], '127.0.0.2'],
  ])('do not starve a scrape from %s', async (_, attackers, address) => {
    const { own, port } = await attacked(attackers, 90 / attackers.length);
    expect(await scrapes(port, address, 40)).toBe(40);
    const connections = await new Promise((resolve) => own.getConnections((_, count) => resolve(count)));
    expect(connections).toBeLessThanOrEqual(64);
  });

  test('do not starve it by connecting again and again', async () => {
    const { port } = await attacked(['127.0.0.3', '127.0.0.4'], 40, 60);
    expect(await scrapes(port, '127.0.0.2', 20)).toBe(20);
  });

  test('do not close the idle connection of another address', async () => {
    const { port, seen } = await attacked(['127.0.0.1'], 40);
    const quiet = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' }).setEncoding('utf8');
    onTestFinished(() => void quiet.destroy());
    await once(quiet, 'connect');
    const late = Array.from({ length: 60 }, () => connect(port, '127.0.0.1').on('error', () => {}));
    onTestFinished(() => late.forEach((socket) => void socket.destroy()));
    // An address keeps 48 connections at most.
    await expect.poll(() => seen.closed, { timeout: 10_000 }).toBeGreaterThanOrEqual(52);
    quiet.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await once(quiet, 'data'))[0]).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('with a list of allowed host names', () => {
  const allowedHosts = ['hardening', 'gateway.plant.test'];

  async function statusFor(headers: string, version = '1.1'): Promise<string | undefined> {
    const own = await serve(routes, { ...local, allowedHosts }, (error) => errors.push(error));
    onTestFinished(() => void own.close());
    const { port } = own.address() as AddressInfo;
    const answer = await raw(`GET / HTTP/${version}\r\n${headers}Connection: close\r\n\r\n`, port);
    return /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1];
  }

  test.each([
    'hardening',
    'hardening:9600',
    'HARDENING',
    'gateway.plant.test',
    'gateway.plant.test.:9600',
    'localhost:9600',
    '127.0.0.1:9600',
    '10.1.2.3',
    '[::1]:9600',
    '[fe80::1]',
  ])('%s is answered', async (host) => {
    expect(await statusFor(`Host: ${host}\r\n`)).toBe('200');
  });

  test.each([
    'evil.example',
    'evil.example:9600',
    'hardening.evil.example',
    'evilhardening',
    'plant.test',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'hardening@evil.example',
    'hardening:x',
    '',
  ])('%j is refused with a reason', async (host) => {
    expect(await statusFor(`Host: ${host}\r\n`)).toBe('421');
  });

  test('a request without a host name is refused', async () => {
    expect(await statusFor('', '1.0')).toBe('421');
  });

  test('the refusal says what to do', async () => {
    const own = await serve(routes, { ...local, allowedHosts }, (error) => errors.push(error));
    onTestFinished(() => void own.close());
    const answer = await raw(
      'GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
      (own.address() as AddressInfo).port,
    );
    expect(answer).toMatch(/\r\n\r\nThis host name is not answered\. .* HARDENING_ALLOWED_HOSTS\.\n$/);
  });
});

test('a port in use is an error', async () => {
  await expect(serve(routes, { ...local, port }, () => {})).rejects.toThrow('EADDRINUSE');
});

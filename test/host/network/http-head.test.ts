import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { createRoot, type Issued } from '../../../simulator/workload/pki.ts';
import { requestHead } from '../../../src/host/network/http-head.ts';

let hub: Issued;
beforeAll(async () => {
  hub = await createRoot({ commonName: 'hub', names: ['hub.test'] });
});

/** A connection to a server that answers the requests with these texts, one after the other, in these pieces. */
async function talk(...answers: readonly (readonly string[])[]) {
  const asked: string[] = [];
  const server = createServer({ cert: hub.chain, key: hub.key }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', async (request) => {
      asked.push(request.toString());
      const answer = answers[asked.length - 1];
      if (!answer) return socket.destroy();
      for (const piece of answer) await new Promise((written) => socket.write(piece, written));
      return undefined;
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket: TLSSocket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  socket.on('error', () => undefined);
  onTestFinished(() => {
    socket.destroy();
    server.close();
  });
  await once(socket, 'secureConnect');
  const ask = (signal = AbortSignal.timeout(5000), method: 'GET' | 'HEAD' = 'HEAD') =>
    requestHead(socket, { method, endpoint: { host: 'hub.test', port: 443 }, path: '/a?b=c' }, signal);
  return { asked, ask, socket };
}

const head = (...lines: string[]) => [`${lines.join('\r\n')}\r\n\r\n`];

test('a request is HEAD, names the host without its usual port, and wants no answer from a cache', async () => {
  const { asked, ask } = await talk(head('HTTP/1.1 204 No Content'));
  await ask();
  expect(asked).toEqual([
    'HEAD /a?b=c HTTP/1.1\r\nHost: hub.test\r\nUser-Agent: eflow-hardening-agent\r\nCache-Control: no-cache\r\n\r\n',
  ]);
});

test.each<[string, string[], number, string | undefined]>([
  ['whole', head('HTTP/1.1 200 OK', 'Date:  now '), 200, 'now'],
  ['in pieces', ['HTTP/1.1 4', '04 Not Found\r', '\ndAtE: now\r\n', '\r', '\n'], 404, 'now'],
  ['by bare line feeds', ['HTTP/1.0 200 OK\nDate: now\n\n'], 200, 'now'],
  ['without a reason', head('HTTP/1.1 200', 'Date: now'), 200, 'now'],
  ['without headers', head('HTTP/1.1 200 OK'), 200, undefined],
  [
    'after an early hint',
    [...head('HTTP/1.1 103 Early Hints', 'Date: then'), ...head('HTTP/1.1 200 OK', 'Date: now')],
    200,
    'now',
  ],
])('an answer that comes %s is understood', async (_what, answer, status, date) => {
  const { ask } = await talk(answer);
  const { status: seen, headers } = await ask();
  expect([seen, headers.get('date')]).toEqual([status, date]);
});

test('several requests use one connection, and leave no listener behind', async () => {
  const answers = ['one', 'two', 'three'].map((date) => head('HTTP/1.1 200 OK', `Date: ${date}`));
  const { ask, socket } = await talk(...answers);
  const before = socket.eventNames().map((name) => socket.listenerCount(name));
  const dates: unknown[] = [];
  for (const _ of answers) dates.push((await ask()).headers.get('date'));
  expect(dates).toEqual(['one', 'two', 'three']);
  expect(socket.eventNames().map((name) => socket.listenerCount(name))).toEqual(before);
});

test.each<[string, string[], string]>([
  ['another protocol', ['SSH-2.0-OpenSSH_9.2\r\n\r\n'], 'it began with "SSH-2.0-OpenSSH_9.2"'],
  ['bytes of no kind', ['\u0001\u0002\r\n\r\n'], 'it began with "??"'],
  [
    'a head without end',
    ['HTTP/1.1 200 OK\r\n', ...Array<string>(17).fill(`A: ${'b'.repeat(4093)}\r\n`)],
    'more than 65536 bytes',
  ],
])('%s is no answer', async (_what, answer, why) => {
  const { ask } = await talk(answer);
  await expect(ask()).rejects.toMatchObject({
    reason: 'http_status',
    message: expect.stringContaining(why),
  });
});

test('a connection that closes is no answer, and neither is asking once more', async () => {
  const { ask } = await talk();
  await expect(ask()).rejects.toMatchObject({ reason: 'http_status' });
  await expect(ask()).rejects.toMatchObject({
    message: expect.stringContaining('the connection was closed'),
  });
});

test("silence ends with the signal's reason", async () => {
  const { ask } = await talk([]);
  await expect(ask(AbortSignal.timeout(100))).rejects.toMatchObject({ name: 'TimeoutError' });
});

test('a signal that has fired already ends the request with its reason', async () => {
  const { ask } = await talk([]);
  await expect(ask(AbortSignal.abort(new Error('the run is over')))).rejects.toThrow('the run is over');
});

test('a server that demands a client certificate after the handshake is always reported in the same words', async () => {
  const server = createServer({
    cert: hub.chain,
    key: hub.key,
    minVersion: 'TLSv1.3',
    requestCert: true,
  }).listen(0, '127.0.0.1');
  server.on('tlsClientError', () => undefined);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  socket.on('error', () => undefined);
  onTestFinished(() => {
    socket.destroy();
    server.close();
  });
  await once(socket, 'secureConnect');
  await expect(
    requestHead(
      socket,
      { method: 'HEAD', endpoint: { host: 'hub.test', port }, path: '/' },
      AbortSignal.timeout(5000),
    ),
  ).rejects.toMatchObject({
    reason: 'http_status',
    message: expect.stringMatching(
      /^HEAD \/ was not answered in HTTP \(tlsv13 alert certificate required \(ERR_SSL_\w+\)\)$/,
    ),
  });
});

test('an answer to GET is read up to its body, whatever follows', async () => {
  const { asked, ask } = await talk(['HTTP/1.1 200 OK\r\nDate: now\r\n\r\nDate: then\r\n\r\n']);
  expect((await ask(AbortSignal.timeout(5000), 'GET')).headers.get('date')).toBe('now');
  expect(asked[0]).toMatch(/^GET \/a\?b=c HTTP\/1\.1\r\n/);
});

test('an answer that comes byte by byte costs no more than one that comes whole', async () => {
  const value = `${' '.repeat(30_000)}now${' '.repeat(30_000)}`;
  const [text = ''] = head('HTTP/1.1 200 OK', `Date:${value}`);
  const { ask } = await talk([...text]);
  expect((await ask(AbortSignal.timeout(15_000))).headers.get('date')).toBe('now');
});

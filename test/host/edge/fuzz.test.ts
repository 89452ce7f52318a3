import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { CannotTell } from '../../../src/check.ts';
import { never } from '../../../src/deadline.ts';
import { createWorkload } from '../../../src/host/edge/workload.ts';
import { mutations } from '../../support/mutations.ts';
import { anyDocument, checkAsyncProperty } from '../../support/properties.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const maxBytes = 1024 * 1024;

/** A server on a unix socket that sends `answer` and ends the connection, and how much of it was taken. */
async function rawServer() {
  const path = join(await tempFolder(), 'workload.sock');
  const state: { answer: Buffer; requests: number } = { answer: Buffer.alloc(0), requests: 0 };
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      state.requests += 1;
      socket.end(state.answer);
    });
  }).listen(path);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { state, workload: createWorkload(`unix://${path}`) };
}

const http = (status: string, headers: readonly string[], body: string): Buffer =>
  Buffer.from(`HTTP/1.1 ${status}\r\n${headers.map((header) => `${header}\r\n`).join('')}\r\n${body}`);

const bodies = fc.oneof(
  fc.constant('{"certificate":"PEM"}'),
  fc.constant('{"modules":[{"name":"a","config":{"settings":{"image":"i"}}}]}'),
  anyDocument(fc.oneof(fc.string(), fc.integer(), fc.constant(null))).map((value) => JSON.stringify(value)),
  anyDocument(fc.string()).map((value) => JSON.stringify({ modules: [value], certificate: value })),
  fc.constantFrom('', 'null', '[]', '{"__proto__":{"certificate":"x"}}', '['.repeat(100_000)),
);
const statuses = fc.constantFrom(
  '200 OK',
  '200',
  '204 No Content',
  '304 x',
  '500 x',
  '101 Switching Protocols',
  '100 Continue',
  '999 x',
  '0 x',
  '-1',
);
const headers = fc.array(
  fc.oneof(
    fc.constantFrom(
      'Content-Length: 5',
      'Content-Length: 99999999999',
      'Content-Length: -1',
      'Content-Length: 5, 6',
    ),
    fc.constantFrom(
      'Transfer-Encoding: chunked',
      'Transfer-Encoding: x, chunked',
      'Connection: upgrade',
      'Upgrade: x',
    ),
    fc.constantFrom(
      'Connection: keep-alive',
      ': x',
      ' folded',
      'A\u0000: b',
      `A: ${'x'.repeat(20_000)}`,
      'Trailer: x',
    ),
    fc.string({ unit: 'binary', maxLength: 20 }),
  ),
  { maxLength: 4 },
);
const chunked = bodies.map((body) => `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`);
const answers = fc.oneof(
  fc.tuple(statuses, headers, bodies).map(([status, some, body]) => http(status, some, body)),
  fc
    .tuple(fc.constant('200 OK'), fc.constant([] as string[]), bodies)
    .map(([status, some, body]) => http(status, some, body)),
  chunked.map((body) => http('200 OK', ['Transfer-Encoding: chunked'], body)),
);

test('any answer of the workload API is data of the declared form or says what is wrong with it', async () => {
  const { state, workload } = await rawServer();
  let runs = 0;
  await checkAsyncProperty(
    fc.asyncProperty(answers, mutations([]), fc.boolean(), async (valid, mutate, isMutated) => {
      state.answer = isMutated ? mutate(valid) : valid;
      runs += 2;
      for (const ask of [workload.trustBundle, workload.modules]) {
        try {
          const data = await ask(never);
          if (typeof data === 'string') continue;
          for (const { name, image } of data)
            expect([typeof name, typeof image]).toEqual(['string', 'string']);
        } catch (error) {
          if (!(error instanceof CannotTell)) throw error;
          expect(error.reason).toBe('unreadable');
          expect(error.message).toMatch(/^GET \/(trust-bundle|modules) on \S+ was (not )?answered/);
        }
      }
    }),
    300,
  );
  expect(state.requests).toBe(runs);
});

test.each([
  ['a body without an end', http('200 OK', [], '')],
  ['chunks without an end', http('200 OK', ['Transfer-Encoding: chunked'], '')],
])('%s is read no further than its limit', async (_, head) => {
  const path = join(await tempFolder(), 'workload.sock');
  let sent = 0;
  const piece = 'x'.repeat(65_536);
  const chunk = head.includes('chunked') ? `10000\r\n${piece}\r\n` : piece;
  const server = createServer((socket) => {
    const write = () => {
      while (!socket.destroyed && socket.write(chunk)) sent += chunk.length;
      sent += chunk.length;
    };
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.write(head);
      write();
    });
    socket.on('drain', write);
  }).listen(path);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  await expect(createWorkload(`unix://${path}`).modules(never)).rejects.toThrow(
    `more than ${maxBytes} bytes`,
  );
  // The rest is in the buffers of the two sockets.
  expect(sent).toBeLessThan(4 * maxBytes);
});

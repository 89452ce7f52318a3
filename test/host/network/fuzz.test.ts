import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CannotTell } from '../../../src/check.ts';
import { never } from '../../../src/deadline.ts';
import { requestHead } from '../../../src/host/network/http-head.ts';
import { createProxyFor } from '../../../src/host/network/proxy.ts';
import { network } from '../../support/fixtures/host-network.ts';
import { anyLines, mutations } from '../../support/mutations.ts';
import { checkAsyncProperty, checkProperty } from '../../support/properties.ts';
import { tcpServer } from '../../support/servers/tcp.ts';

const separators = ['\r\n', '\n', '\r\n\r\n', '\r', ' ', ''];
const words = [
  ...[
    'HTTP/1.1 200 OK',
    'HTTP/1.1 103 Early Hints',
    'HTTP/1.0 404',
    'HTTP/2 200',
    'HTTP/1.1 99 x',
    'http/1.1 200 ok',
  ],
  ...[
    'Date: now',
    'date : now',
    ': x',
    ' folded',
    'Content-Length: -1',
    'Transfer-Encoding: chunked',
    '__proto__: x',
  ],
  ...['HTTP/1.1 101 x', 'Connection: upgrade', 'Upgrade: x', 'HTTP/1.1 407 No', 'x'.repeat(5000)],
];

/** Text of an answer, then mutated. */
const anyAnswer: fc.Arbitrary<Buffer> = fc
  .tuple(
    fc.constantFrom('HTTP/1.1 200 OK\r\n', 'HTTP/1.1 103 x\r\n\r\n', ''),
    anyLines(words, separators),
    mutations([]),
    fc.boolean(),
  )
  .map(([first, lines, mutate, isMutated]) => {
    const valid = Buffer.from(`${first}${lines}\r\n\r\n`);
    return isMutated ? mutate(valid) : valid;
  });

describe('the head of an HTTP answer', () => {
  const endpoint = { host: 'hub.test', port: 443 };
  const maxBytes = 65_536;

  /** A connection on which an answer arrives in chunks of some sizes, and then ends. */
  function connection(answer: Buffer, sizes: readonly number[]) {
    const state = { given: 0 };
    let chunk = 0;
    const socket = new Duplex({
      highWaterMark: 1,
      read() {
        const size = sizes[chunk % sizes.length] ?? 1;
        chunk += 1;
        const next = answer.subarray(state.given, state.given + size);
        state.given += next.length;
        this.push(next.length === 0 ? null : next);
      },
      write: (_chunk, _encoding, done) => done(),
    });
    return { state, socket: socket as unknown as TLSSocket };
  }

  const read = async (answer: Buffer, sizes: readonly number[]) => {
    const { state, socket } = connection(answer, sizes);
    try {
      const { status, headers } = await requestHead(socket, { method: 'HEAD', endpoint, path: '/' }, never);
      return { given: state.given, outcome: { status, headers: [...headers] } };
    } catch (error) {
      if (!(error instanceof CannotTell)) throw error;
      expect(error.reason).toBe('http_status');
      expect(error.message).toMatch(/^[ -~]{1,300}$/);
      return { given: state.given, outcome: error.message };
    } finally {
      socket.destroy();
    }
  };

  test('is the same however it is cut into chunks, or no HTTP', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 5 });
    await checkAsyncProperty(
      fc.asyncProperty(anyAnswer, sizes, async (answer, some) => {
        const { outcome } = await read(answer, some);
        expect(outcome).toEqual((await read(answer, [maxBytes])).outcome);
        if (typeof outcome === 'string') return;
        expect(outcome.status).toBeGreaterThanOrEqual(0);
        expect(outcome.status).toBeLessThan(1000);
        for (const [name, value] of outcome.headers) {
          expect(name).toMatch(/^[^\s:]+$/);
          expect(name + value).not.toContain('\n');
        }
      }),
      400,
    );
  });

  test('is read no further than its limit', async () => {
    await checkAsyncProperty(
      fc.asyncProperty(
        fc.constantFrom('a', '\r', 'a: b\r\n', 'HTTP/1.1 100 x\r\n\r\n'),
        fc.integer({ min: 100, max: 3000 }),
        async (part, size) => {
          const endless = Buffer.from(`HTTP/1.1 100 x\r\n${part.repeat(200_000 / part.length)}`);
          const { given, outcome } = await read(endless, [size]);
          expect(outcome).toMatch(/more than 65536 bytes/);
          expect(given).toBeLessThanOrEqual(maxBytes + 3 * size);
        },
      ),
      40,
    );
  });
});

test('any answer of a proxy to CONNECT opens the connection or is a failure in one line', async () => {
  let answer = Buffer.alloc(0) as Buffer;
  let connections = 0;
  const { port } = await tcpServer((socket) => {
    connections += 1;
    socket.once('data', () => socket.end(answer));
  });
  const { probe } = network({ httpsProxy: `http://127.0.0.1:${port}` });
  const target = { scheme: 'tls', host: 'hub.test', port: 8883 } as const;
  let runs = 0;
  await checkAsyncProperty(
    fc.asyncProperty(anyAnswer, async (next) => {
      answer = next;
      runs += 1;
      const { failure } = await probe(target, never);
      expect(['proxy_failed', 'tls_failed']).toContain(failure?.reason);
      expect(failure?.detail).toMatch(/^[^\p{Cc}]{1,300}$/u);
    }),
    200,
  );
  expect(connections).toBe(runs);
});

test('no_proxy in any form is a decision', () => {
  const entries = [
    '*',
    '.',
    '10.0.0.0/8',
    '10.0.0.0/99',
    '::/0',
    '[::1]:8883',
    '[',
    ']',
    '.test',
    'hub.test',
    ':8883',
    '/',
    '%',
  ];
  checkProperty(
    fc.property(
      anyLines(entries, [',', ' ', ', ', '']),
      fc.constantFrom('hub.test', '10.1.2.3', '::1', ''),
      (noProxy, host) => {
        const proxy = { host: 'proxy.test', port: 3128 };
        expect([proxy, undefined]).toContain(createProxyFor(proxy, noProxy)({ host, port: 8883 }));
      },
    ),
    2000,
  );
});

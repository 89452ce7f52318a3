import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createRoot } from '../../../simulator/workload/pki.ts';
import { CannotTell } from '../../../src/check.ts';
import { never } from '../../../src/deadline.ts';
import { createChrony } from '../../../src/host/clock/chrony.ts';
import { isReplyTo, parseTracking } from '../../../src/host/clock/chrony-packet.ts';
import { exchangeSntp } from '../../../src/host/clock/sntp-exchange.ts';
import { headerBytes, parsePacket, toTimestamp } from '../../../src/host/clock/sntp-packet.ts';
import type { TimeSample } from '../../../src/host/clock/types.ts';
import { narrowToEdge } from '../../../src/host/clock/whole-second-offset.ts';
import { network } from '../../support/fixtures/host-network.ts';
import { anyLines, type Field, mutated, mutations } from '../../support/mutations.ts';
import { checkAsyncProperty, checkProperty } from '../../support/properties.ts';
import { udpServer } from '../../support/servers/udp.ts';

/** A sample with finite numbers, or a `CannotTell` with one of the reasons. */
async function sampleOr(reasons: readonly string[], work: Promise<TimeSample>): Promise<void> {
  try {
    const { offsetSeconds, errorSeconds } = await work;
    expect(Number.isFinite(offsetSeconds)).toBe(true);
    expect(Number.isFinite(errorSeconds)).toBe(true);
    expect(errorSeconds).toBeGreaterThanOrEqual(0);
  } catch (error) {
    if (!(error instanceof CannotTell)) throw error;
    expect(reasons).toContain(error.reason);
    expect(error.message).toMatch(/^[^\p{Cc}]{1,300}$/u);
  }
}

describe('an SNTP packet', () => {
  /** RFC 5905, section 7.3. */
  const fields: Field[] = [
    { at: 0, bytes: 1 },
    { at: 1, bytes: 1 },
    { at: 3, bytes: 1 },
    { at: 4, bytes: 4 },
    { at: 8, bytes: 4 },
    { at: 12, bytes: 4 },
    { at: 16, bytes: 8 },
    { at: 24, bytes: 8 },
    { at: 32, bytes: 8 },
    { at: 40, bytes: 8 },
  ];

  function answerTo(request: Buffer, stratum = 2): Buffer {
    const answer = Buffer.alloc(headerBytes);
    answer.set([0x24, stratum, 6, 0xec]);
    request.copy(answer, 24, 40, 48);
    answer.writeBigUInt64BE(toTimestamp(Date.now()), 32);
    answer.writeBigUInt64BE(toTimestamp(Date.now()), 40);
    return answer;
  }

  test('of any content is read without an error', () => {
    checkProperty(
      fc.property(fc.uint8Array({ minLength: headerBytes, maxLength: 200 }), (bytes) => {
        const { rootDelaySeconds, rootDispersionSeconds } = parsePacket(Buffer.from(bytes));
        expect(rootDelaySeconds + rootDispersionSeconds).toBeLessThan(2 ** 17);
      }),
      1000,
    );
  });

  test('with mutated fields gives a finite sample or says what is wrong with it', async () => {
    let mutate = (bytes: Buffer) => bytes;
    const server = await udpServer((request, { address, port }, socket) => {
      socket.send(mutate(answerTo(request)), port, address);
      // For a packet that is ignored, such as one with another origin: a kiss-o'-death.
      socket.send(answerTo(request, 0), port, address);
    });
    const { port } = server.address();
    const question = { server: 'ntp.test', address: '127.0.0.1', port, now: () => new Date() };
    await checkAsyncProperty(
      fc.asyncProperty(mutations(fields), async (next) => {
        mutate = next;
        await sampleOr(['unreadable'], exchangeSntp(question, never));
      }),
      500,
    );
  });
});

describe('a reply of chronyd', () => {
  /** candm.h of chrony: CMD_Reply and RPY_Tracking. */
  const fields: Field[] = [
    ...[0, 1, 2, 3].map((at) => ({ at, bytes: 1 })),
    ...[4, 6, 8, 52, 54].map((at) => ({ at, bytes: 2 })),
    ...[16, 28, 56, 60, 64, 68, 92, 96].map((at) => ({ at, bytes: 4 })),
  ];

  function tracking(sequence: number): Buffer {
    const reply = Buffer.alloc(104);
    reply.set([6, 2]);
    reply.writeUInt16BE(33, 4);
    reply.writeUInt16BE(5, 6);
    reply.writeUInt32BE(sequence, 16);
    reply.writeUInt32BE(0xc0000201, 28);
    reply.writeUInt16BE(2, 52);
    reply.writeUInt32BE(Math.floor(Date.now() / 1000), 60);
    return reply;
  }

  test('of any content is ignored, refused in words or read', () => {
    const length = fc.nat(120);
    checkProperty(
      fc.property(mutated(tracking(7), fields), length, (bytes, kept) => {
        const reply = bytes.subarray(0, Math.max(kept, 20));
        if (!isReplyTo(reply, 7)) return;
        const read = parseTracking(reply);
        if (typeof read === 'string') expect(read).toMatch(/^[\w ()]{1,100}$/);
        else for (const value of Object.values(read)) expect(Number.isFinite(value)).toBe(true);
      }),
      2000,
    );
  });

  test('with mutated fields gives a finite sample or says what is wrong with it', async () => {
    let mutate = (bytes: Buffer) => bytes;
    const server = await udpServer((request, { address, port }, socket) => {
      const reply = tracking(request.readUInt32BE(8));
      socket.send(mutate(reply), port, address);
      // For a reply that is ignored, such as one with another sequence number: a refusal.
      reply.writeUInt16BE(1, 8);
      socket.send(reply, port, address);
    });
    const chrony = createChrony({ resolve: async (name) => [name] });
    const at = `127.0.0.1:${server.address().port}`;
    await checkAsyncProperty(
      fc.asyncProperty(mutations(fields), async (next) => {
        mutate = next;
        await sampleOr(['unreadable'], chrony(at, never));
      }),
      500,
    );
  });
});

describe('the Date of a web server', () => {
  test('in a mutated answer gives a finite sample or says what is wrong with it, after one request', async () => {
    const root = await createRoot({ commonName: 'Root' });
    const { chain: cert, key } = await root.issue({ commonName: 'hub.test', names: ['hub.test'] });
    let answer: Buffer = Buffer.alloc(0);
    let requests = 0;
    const server = createServer({ cert, key }, (socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => {
        requests += 1;
        socket.end(answer);
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const { httpDate } = network({ bundle: root.certificate });

    // A server that is overloaded is not asked again.
    const head = anyLines(
      [
        ...[
          'HTTP/1.1 503 No',
          'HTTP/1.0 429',
          'Date: Sat, 21 Nov 2026 20:30:00 GMT',
          'date:',
          'DATE : now',
          'Age: 5',
        ],
        ...[
          'Date: Sat, 00 Nov 2026 99:99:99 GMT',
          'Date: Thu, 01 Jan 0000 00:00:00 GMT',
          ': x',
          ' folded',
          ':',
        ],
      ],
      ['\r\n', '\n', '\r\n\r\n', ' ', ''],
    ).map((lines) =>
      Buffer.from(`HTTP/1.1 503 No\r\nDate: Sat, 21 Nov 2026 20:30:00 GMT\r\n${lines}\r\n\r\n`),
    );
    let runs = 0;
    await checkAsyncProperty(
      fc.asyncProperty(head, mutations([]), fc.boolean(), async (valid, mutate, isMutated) => {
        answer = isMutated ? mutate(valid) : valid;
        runs += 1;
        // The status decides whether the server is asked again.
        if (!/^HTTP\/1\.[01] 503/.test(answer.toString('latin1'))) answer = valid;
        await sampleOr(['unreadable', 'not_found'], httpDate(`https://hub.test:${port}/`, never));
      }),
      150,
    );
    expect(requests).toBe(runs);
  });

  test('of any clock takes at most seven requests, and ends in a range or in none', async () => {
    const delay = fc.double({ min: 0, max: 2, noNaN: true });
    const answers = fc.infiniteStream(
      fc.oneof(
        fc.record({
          there: delay,
          back: delay,
          off: fc.integer({ min: -3, max: 3 }),
          fails: fc.constant(false),
        }),
        fc.record({ there: delay, back: delay, off: fc.constantFrom(0, 1e9, -1e9), fails: fc.boolean() }),
      ),
    );
    await checkAsyncProperty(
      fc.asyncProperty(answers, async (clock) => {
        let now = 1_800_000_000.4;
        let asked = 0;
        const ask = async () => {
          asked += 1;
          const { there, back, off, fails } = clock.next().value ?? {
            there: 0,
            back: 0,
            off: 0,
            fails: true,
          };
          const sentSeconds = now;
          now += there;
          const answeredSeconds = Math.floor(now) + off;
          now += back;
          if (fails && asked > 1) throw new Error('no answer');
          return { sentSeconds, receivedSeconds: now, answeredSeconds };
        };
        const sleep = async (seconds: number) => {
          expect(seconds).toBeGreaterThanOrEqual(0);
          now += seconds;
        };
        const range = await narrowToEdge(await ask(), { ask, now: () => now, sleep }, never);
        expect(asked).toBeLessThanOrEqual(7);
        if (range) expect(range.high - range.low).toBeGreaterThanOrEqual(0);
      }),
      1000,
    );
  });
});

import { describe, expect, test } from 'vitest';
import { CannotTell } from '../../../src/check.ts';
import { createSntp } from '../../../src/host/clock/sntp.ts';
import { toTimestamp } from '../../../src/host/clock/sntp-packet.ts';
import { refusingPort, udpServer } from '../../support/servers/udp.ts';

const resolve = async (name: string) => [name];
const sntp = createSntp({ resolve });
const soon = (milliseconds = 1000) => AbortSignal.timeout(milliseconds);

interface Fields {
  first?: number;
  stratum?: number;
  precision?: number;
  rootDelay?: number;
  rootDispersion?: number;
  referenceId?: string;
  aheadSeconds?: number;
  heldSeconds?: number;
  at?: number;
}

/** What a good stratum 2 server answers now, but for what a test wants different. */
function reply(request: Buffer, fields: Fields = {}): Buffer {
  const { first = 0x24, stratum = 2, precision = -20, rootDelay = 0, rootDispersion = 0 } = fields;
  const { referenceId = '\x7f\x7f\x01\x01', aheadSeconds = 0, heldSeconds = 0, at = Date.now() } = fields;
  const answer = Buffer.alloc(48);
  answer.writeUInt8(first, 0);
  answer.writeUInt8(stratum, 1);
  answer.writeInt8(precision, 3);
  answer.writeUInt32BE(rootDelay * 65_536, 4);
  answer.writeUInt32BE(rootDispersion * 65_536, 8);
  answer.write(referenceId, 12, 'latin1');
  request.copy(answer, 24, 40, 48);
  answer.writeBigUInt64BE(toTimestamp(at + aheadSeconds * 1000), 32);
  answer.writeBigUInt64BE(toTimestamp(at + (aheadSeconds + heldSeconds) * 1000), 40);
  return answer;
}

/** Its port. */
async function server(answer: (request: Buffer) => Buffer, where?: { address?: string; port?: number }) {
  const socket = await udpServer(
    (request, from, server) => server.send(answer(request), from.port, from.address),
    where,
  );
  return socket.address().port;
}

describe('a good answer', () => {
  test.each([
    [0, 0],
    [90, -90],
    [-3600, 3600],
  ])('from a server %d s ahead of us puts the local clock at %d s', async (aheadSeconds, offset) => {
    const port = await server((request) => reply(request, { aheadSeconds }));
    const sample = await sntp(`127.0.0.1:${port}`, soon());
    expect(Math.abs(sample.offsetSeconds - offset)).toBeLessThanOrEqual(sample.errorSeconds);
    expect(sample.errorSeconds).toBeLessThan(0.5);
  });

  test('is as coarse as the server says it is: half the root delay and the root dispersion', async () => {
    const port = await server((request) => reply(request, { rootDelay: 3, rootDispersion: 0.5 }));
    const { errorSeconds } = await sntp(`127.0.0.1:${port}`, soon());
    expect(errorSeconds).toBeGreaterThan(2);
    expect(errorSeconds).toBeLessThan(2.2);
  });

  test('may have extension fields and an authenticator behind the header', async () => {
    const port = await server((request) => Buffer.concat([reply(request), Buffer.alloc(20)]));
    await expect(sntp(`127.0.0.1:${port}`, soon())).resolves.toBeDefined();
  });

  test('may be of version 3, as Windows servers give it', async () => {
    const port = await server((request) => reply(request, { first: 0x1c }));
    await expect(sntp(`127.0.0.1:${port}`, soon())).resolves.toBeDefined();
  });

  test('is understood over IPv6', async () => {
    const port = await server((request) => reply(request, { aheadSeconds: 30 }), { address: '::1' });
    const { offsetSeconds } = await sntp(`[::1]:${port}`, soon());
    expect(offsetSeconds).toBeCloseTo(-30, 0);
  });

  test('from the other side of the era change of 2036 is understood', async () => {
    const eraChange = Date.parse('2036-02-07T06:28:16Z');
    const now = () => new Date(eraChange - 1000);
    const port = await server((request) => reply(request, { at: eraChange + 1000 }));
    const { offsetSeconds } = await createSntp({ resolve, now })(`127.0.0.1:${port}`, soon());
    expect(offsetSeconds).toBeCloseTo(-2, 1);
  });

  test('is not corrupted by a step of the local clock while it is under way', async () => {
    let stepSeconds = 0;
    const real = Date.now();
    const now = () => new Date(Date.now() + stepSeconds * 1000);
    const port = await server((request) => {
      stepSeconds = 3600;
      return reply(request);
    });
    const { offsetSeconds, errorSeconds } = await createSntp({ resolve, now })(`127.0.0.1:${port}`, soon());
    expect(Math.abs(offsetSeconds)).toBeLessThanOrEqual(errorSeconds);
    expect(errorSeconds).toBeLessThan(0.5);
    expect(now().getTime() - real).toBeGreaterThan(3_599_000);
  });
});

describe('no time is taken from', () => {
  const cut = (length: number) => (request: Buffer) => reply(request).subarray(0, length);
  const blank = (from: number) => (request: Buffer) => reply(request).fill(0, from, from + 8);
  const like = (fields: Fields) => (request: Buffer) => reply(request, fields);
  test.each([
    ['an empty answer', cut(0), 'answered with 0 bytes instead of 48'],
    ['one that is a byte short', cut(47), 'answered with 47 bytes instead of 48'],
    ['an answer in client mode', like({ first: 0x23 }), 'answered in mode 3 instead of 4 (server)'],
    ['a broadcast', like({ first: 0x25 }), 'answered in mode 5 instead of 4 (server)'],
    ['an unknown version', like({ first: 0x3c }), 'answered in NTP version 7'],
    ['a server that limits the rate', like({ stratum: 0, referenceId: 'RATE' }), 'kiss code RATE'],
    ['a server that denies access', like({ first: 0xe4, stratum: 0, referenceId: 'DENY' }), 'kiss code DENY'],
    ['stratum 16', like({ stratum: 16 }), 'is not synchronised itself (stratum 16)'],
    ['leap indicator 3', like({ first: 0xe4 }), 'is not synchronised itself (leap indicator 3)'],
    ['no transmit timestamp', blank(40), 'left its time out'],
    ['no receive timestamp', blank(32), 'left its time out'],
    ['a root dispersion of 16 s', like({ rootDispersion: 16 }), 'gives its time only to within 16 s'],
    ['a root delay of 32 s', like({ rootDelay: 32 }), 'gives its time only to within 16 s'],
    ['a clock set while it held the request', like({ heldSeconds: 60 }), 'held the request longer'],
    ['a clock set back meanwhile', like({ heldSeconds: -60 }), 'held the request longer'],
  ])('%s', async (_what, answer, why) => {
    const port = await server(answer);
    await expect(sntp(`127.0.0.1:${port}`, soon())).rejects.toMatchObject({
      name: 'CannotTell',
      reason: 'unreadable',
      message: expect.stringContaining(why),
    });
  });

  test('an answer to another request, though the right one behind it counts', async () => {
    const socket = await udpServer((request, from, server) => {
      const forged = reply(request, { aheadSeconds: 9999 });
      forged.writeUInt8(forged.readUInt8(31) ^ 1, 31);
      server.send(forged, from.port, from.address, () => {
        server.send(reply(request, { aheadSeconds: 60 }), from.port, from.address);
      });
    });
    const { offsetSeconds } = await sntp(`127.0.0.1:${socket.address().port}`, soon());
    expect(offsetSeconds).toBeCloseTo(-60, 0);
  });

  test('from another address than the one queried, even with the right request', async () => {
    const stranger = await udpServer(() => {}, { address: '127.0.0.2' });
    const { port } = stranger.address();
    await udpServer(
      (request, from, server) => {
        stranger.send(reply(request, { aheadSeconds: 9999 }), from.port, from.address, () => {
          server.send(reply(request, { aheadSeconds: 60 }), from.port, from.address);
        });
      },
      { port },
    );
    const { offsetSeconds } = await sntp(`127.0.0.1:${port}`, soon());
    expect(offsetSeconds).toBeCloseTo(-60, 0);
  });
});

describe('a burst', () => {
  const bursting = createSntp({ resolve, intervalSeconds: 0.15 });

  /** Answers each request in its own way, after so many milliseconds for a number; says nothing beyond them. */
  async function server(...answers: readonly (number | 'RATE' | 'silence')[]) {
    let requests = 0;
    const socket = await udpServer((request, from, server) => {
      const answer = answers[requests] ?? 'silence';
      requests += 1;
      if (answer === 'silence') return;
      const kiss = { stratum: 0, referenceId: 'RATE' };
      const datagram = reply(request, answer === 'RATE' ? kiss : {});
      setTimeout(() => server.send(datagram, from.port, from.address), answer === 'RATE' ? 0 : answer);
    });
    return { name: `127.0.0.1:${socket.address().port}`, requests: () => requests };
  }

  test('is spared where the first answer was quick', async () => {
    const { name, requests } = await server(0, 0, 0, 0);
    await bursting(name, soon());
    expect(requests()).toBe(1);
  });

  test('keeps the sample with the least delay', async () => {
    const { name, requests } = await server(300, 60, 100, 80);
    const { errorSeconds } = await bursting(name, soon(3000));
    expect(requests()).toBe(4);
    expect(errorSeconds).toBeLessThan(0.1);
  });

  test('goes on after a lost datagram', async () => {
    const { name, requests } = await server(300, 'silence', 60);
    const { errorSeconds } = await bursting(name, soon(3000));
    expect(requests()).toBe(4);
    expect(errorSeconds).toBeLessThan(0.1);
  });

  test('ends at once when the server asks for fewer requests, with what it has', async () => {
    const { name, requests } = await server(80, 'RATE', 0);
    await expect(bursting(name, soon(3000))).resolves.toBeDefined();
    expect(requests()).toBe(2);
  });

  test('that the deadline cuts short gives what it has', async () => {
    const { name } = await server(80, 'silence', 'silence', 'silence');
    await expect(bursting(name, soon(300))).resolves.toBeDefined();
  });

  test('that is stopped gives nothing', async () => {
    const stopping = new AbortController();
    const { name } = await server(80);
    const asked = bursting(name, stopping.signal);
    setTimeout(() => stopping.abort(new Error('SIGTERM')), 150);
    await expect(asked).rejects.toThrow('SIGTERM');
  });
});

describe('an exchange', () => {
  test('with a silent server ends when the signal fires', async () => {
    const socket = await udpServer(() => {});
    const asked = sntp(`127.0.0.1:${socket.address().port}`, soon(100));
    await expect(asked).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  test('sends nothing once the signal has fired', async () => {
    const reason = new Error('stopping');
    const asked = sntp('127.0.0.1:9', AbortSignal.abort(reason));
    await expect(asked).rejects.toBe(reason);
  });

  test('where nothing listens is reported at once, with its cause', async () => {
    const port = await refusingPort();
    await expect(sntp(`127.0.0.1:${port}`, soon())).rejects.toMatchObject({
      reason: 'not_found',
      message: `127.0.0.1:${port} (127.0.0.1) did not answer: nothing listens there (ECONNREFUSED)`,
      cause: { code: 'ECONNREFUSED' },
    });
  });

  test('goes on to the next address of a name when one refuses', async () => {
    const port = await server((request) => reply(request, { aheadSeconds: 30 }), { address: '127.0.0.2' });
    const both = createSntp({ resolve: async () => ['127.0.0.1', '127.0.0.2'] });
    const { offsetSeconds } = await both(`ntp.test:${port}`, soon());
    expect(offsetSeconds).toBeCloseTo(-30, 0);
  });

  test('that every address refuses has the error of each address', async () => {
    const port = await server((request) => reply(request, { stratum: 16 }), { address: '127.0.0.2' });
    const both = createSntp({ resolve: async () => ['127.0.0.2', '127.0.0.1'] });
    await expect(both(`ntp.test:${port}`, soon())).rejects.toMatchObject({
      reason: 'unreadable',
      message:
        `ntp.test:${port} (127.0.0.2) is not synchronised itself (stratum 16); ` +
        `ntp.test:${port} (127.0.0.1) did not answer: nothing listens there (ECONNREFUSED)`,
    });
  });

  test('waits for an answer that takes longer than the next request', async () => {
    const socket = await udpServer((request, from, server) => {
      setTimeout(() => server.send(reply(request), from.port, from.address), 2600);
    });
    const { offsetSeconds, errorSeconds } = await sntp(`127.0.0.1:${socket.address().port}`, soon(5000));
    expect(Math.abs(offsetSeconds)).toBeLessThanOrEqual(errorSeconds);
    expect(errorSeconds).toBeGreaterThan(1.2);
  });

  test('survives a lost datagram by asking again', async () => {
    let requests = 0;
    const socket = await udpServer((request, from, server) => {
      requests += 1;
      if (requests > 1) server.send(reply(request), from.port, from.address);
    });
    await expect(sntp(`127.0.0.1:${socket.address().port}`, soon(4000))).resolves.toBeDefined();
  });

  test.each(['', 'a b', '127.0.0.1:0', '127.0.0.1:65536', '[nonsense]:123', '::1', 'host:', 'host/path'])(
    'with %j is refused, for that is no server',
    async (name) => {
      await expect(sntp(name, soon())).rejects.toMatchObject({
        reason: 'unreadable',
        message: expect.stringContaining(`"${name}" must be host, host:port or [IPv6]:port`),
      });
    },
  );
});

test("a server whose name does not resolve has the resolver's error", async () => {
  const unresolved = new CannotTell('dns_failed', 'ntp.test does not resolve: there is no such name');
  const sntp = createSntp({ resolve: () => Promise.reject(unresolved) });
  await expect(sntp('ntp.test', AbortSignal.timeout(1000))).rejects.toMatchObject({
    reason: 'not_found',
    message: expect.stringContaining('there is no such name'),
    cause: unresolved,
  });
});

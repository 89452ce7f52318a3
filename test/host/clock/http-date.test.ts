import type { ServerResponse } from 'node:http';
import { beforeAll, describe, expect, test } from 'vitest';
import { createRoot, type Issued } from '../../../simulator/workload/pki.ts';
import { network } from '../../support/fixtures/host-network.ts';
import { deadline, refusedPort, silentServer, tlsServer } from '../../support/servers/tcp.ts';

const never = new AbortController().signal;
const local = new Date('2026-11-21T20:30:00Z');
let root: Issued;
let valid: Issued;

beforeAll(async () => {
  root = await createRoot({ commonName: 'Test Root' });
  valid = await root.issue({ commonName: 'hub', names: ['hub.test'] });
});

/** Too many requests: so it is asked only once, and the test does not wait for the edge of a second. */
const headers = (given: Record<string, string>) => (_: unknown, response: ServerResponse) => {
  response.sendDate = false;
  response.writeHead(429, given).end();
};

const dateBy = async (given: Record<string, string>, shown = valid) => {
  const { port } = await tlsServer(shown, headers(given));
  const { httpDate } = network({ bundle: root.certificate, now: () => local });
  return httpDate(`https://hub.test:${port}/`, never);
};

describe('the offset by one answer', () => {
  test.each([
    ['Sat, 21 Nov 2026 20:30:00 GMT', 0],
    ['Sat, 21 Nov 2026 20:20:00 GMT', 600],
    ['Sat, 21 Nov 2026 21:30:00 GMT', -3600],
  ])('of %s lies within the error bound', async (date, offset) => {
    const { offsetSeconds, errorSeconds } = await dateBy({ date });
    // The server's clock stood somewhere in the second it names.
    const rounding = 1e-3;
    expect(offsetSeconds - errorSeconds).toBeLessThan(offset - 1 + rounding);
    expect(offsetSeconds + errorSeconds).toBeGreaterThan(offset - rounding);
    expect(errorSeconds).toBeGreaterThanOrEqual(0.5);
  });

  test('grows less certain with a slow answer', async () => {
    const { port } = await tlsServer(valid, (request, response) => {
      setTimeout(() => headers({ date: 'Sat, 21 Nov 2026 20:30:00 GMT' })(request, response), 200);
    });
    const { httpDate } = network({ bundle: root.certificate, now: () => local });
    const { errorSeconds } = await httpDate(`https://hub.test:${port}`, never);
    expect(errorSeconds).toBeGreaterThan(0.59);
  });
});

describe('several answers', () => {
  /** A server whose clock is so far from the local one, and what it was asked over how many connections. */
  async function clock(aheadSeconds: number, limit = 99) {
    const asked: string[] = [];
    const server = await tlsServer(valid, ({ method, url }, response) => {
      asked.push(`${method} ${url}`);
      response.sendDate = false;
      if (asked.length > limit) return response.destroy();
      const date = new Date(Date.now() + aheadSeconds * 1000).toUTCString();
      return response.writeHead(404, { date }).end();
    });
    const sample = () =>
      network({ bundle: root.certificate }).httpDate(`https://hub.test:${server.port}/a?b=c`, never);
    return { asked, server, sample };
  }

  test('to HEAD over one connection find the edge of a second', async () => {
    const { asked, server, sample } = await clock(90.25);
    const { offsetSeconds, errorSeconds } = await sample();
    expect(Math.abs(offsetSeconds + 90.25)).toBeLessThanOrEqual(errorSeconds);
    expect(errorSeconds).toBeLessThan(0.3);
    expect(new Set(asked)).toEqual(new Set(['HEAD /a?b=c']));
    expect(asked.length).toBeLessThanOrEqual(7);
    expect(server.connections).toHaveLength(1);
  });

  test('with the same date for longer than a second are no time: a cache without an Age', async () => {
    const { port } = await tlsServer(valid, (_, response) => {
      response.sendDate = false;
      response.writeHead(200, { date: 'Sat, 21 Nov 2026 20:30:00 GMT' }).end();
    });
    const { httpDate } = network({ bundle: root.certificate });
    await expect(httpDate(`https://hub.test:${port}/`, AbortSignal.timeout(10_000))).rejects.toMatchObject({
      reason: 'unreadable',
      message: expect.stringContaining('answers with a date that stands still'),
    });
  });

  test('cut short by the deadline give the bound reached so far', async () => {
    const { signal, pass } = deadline();
    let asked = 0;
    const { port } = await tlsServer(valid, (_, response) => {
      asked += 1;
      if (asked > 1) return pass();
      response.sendDate = false;
      response.writeHead(200, { date: new Date(Date.now() - 3_600_000).toUTCString() }).end();
    });
    const { httpDate } = network({ bundle: root.certificate });
    const { offsetSeconds, errorSeconds } = await httpDate(`https://hub.test:${port}`, signal);
    expect(Math.abs(offsetSeconds - 3600)).toBeLessThanOrEqual(errorSeconds);
  });

  test('give the bound reached so far when the server closes the connection', async () => {
    const { sample } = await clock(0, 1);
    const { offsetSeconds, errorSeconds } = await sample();
    expect(Math.abs(offsetSeconds)).toBeLessThanOrEqual(errorSeconds);
    expect(errorSeconds).toBeGreaterThanOrEqual(0.5);
  });
});

describe('a certificate', () => {
  const date = 'Sat, 21 Nov 2026 20:30:00 GMT';
  const past = { notBefore: new Date('2020-01-01'), notAfter: new Date('2020-02-01') };
  const future = { notBefore: new Date('2080-01-01'), notAfter: new Date('2080-02-01') };

  test.each([
    ['expired', past],
    ['not yet valid', future],
  ])('that is only %s is believed: a wrong clock here looks the same', async (_, validity) => {
    const shown = await root.issue({ commonName: 'hub', names: ['hub.test'], ...validity });
    expect(await dateBy({ date }, shown)).toHaveProperty('offsetSeconds');
  });

  test.each([
    ['of an unknown issuer', () => createRoot({ commonName: 'Box', names: ['hub.test'] })],
    [
      'of an unknown issuer and expired',
      () => createRoot({ commonName: 'Box', names: ['hub.test'], ...past }),
    ],
    ['for another name', () => root.issue({ commonName: 'hub', names: ['other.test'] })],
    ['for another name and expired', () => root.issue({ commonName: 'hub', names: ['other.test'], ...past })],
  ])('%s is not', async (_, make) => {
    await expect(dateBy({ date }, await make())).rejects.toMatchObject({
      name: 'CannotTell',
      reason: 'unreadable',
      message: expect.stringContaining('cannot be trusted: The certificate'),
    });
  });
});

describe('no sample', () => {
  test.each([
    ['without a date', {}, 'was answered without a date'],
    ['with a date that is none', { date: 'now' }, 'was answered with the date "now"'],
    ['with a date of another form', { date: 'Sat Nov 21 20:30:00 2026' }, 'with the date "Sat Nov 21'],
    ['with a date that is no text', { date: 'a\t\u0085b' }, 'with the date "a??b"'],
    ['from a cache', { date: 'Sat, 21 Nov 2026 20:30:00 GMT', age: '17' }, 'by a cache (Age: 17)'],
  ])('for an answer %s', async (_, given, message) => {
    await expect(dateBy(given)).rejects.toMatchObject({
      name: 'CannotTell',
      reason: 'unreadable',
      message: expect.stringContaining(message),
    });
  });

  test('where nothing listens', async () => {
    const port = await refusedPort();
    await expect(network({}).httpDate(`https://hub.test:${port}`, never)).rejects.toMatchObject({
      reason: 'not_found',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test('when the deadline passes first, with what was waited for', async () => {
    const { port, asked } = await silentServer();
    await expect(network({}).httpDate(`https://hub.test:${port}`, asked)).rejects.toMatchObject({
      reason: 'timed_out',
      message: `No answer to the TLS handshake with hub.test:${port}, which accepted the TCP connection`,
    });
  });

  test('when the agent stops first, with its reason', async () => {
    const { port, asked } = await silentServer();
    const stopping = new AbortController();
    const reason = new Error('stopping');
    asked.addEventListener('abort', () => stopping.abort(reason));
    await expect(network({}).httpDate(`https://hub.test:${port}`, stopping.signal)).rejects.toBe(reason);
  });

  test('over plain http', async () => {
    await expect(network({}).httpDate('http://hub.test', never)).rejects.toThrow(
      '"http://hub.test" is not an https URL',
    );
  });
});

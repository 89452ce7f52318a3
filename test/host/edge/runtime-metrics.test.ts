import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CannotTell } from '../../../src/check.ts';
import { maxPageBytes } from '../../../src/host/edge/exposition.ts';
import { createRuntimeMetrics, type MetricsPages } from '../../../src/host/edge/runtime-metrics.ts';
import { dial } from '../../../src/host/network/dial.ts';
import { unresolved } from '../../../src/host/network/resolve.ts';
import { refusedPort, silentServer, tcpServer } from '../../support/servers/tcp.ts';

const { signal } = new AbortController();
const hubPage =
  'edgehub_queue_length{instance_number="8f",endpoint="iothub",priority="2000000000"} 12\nedgehub_connected_clients 2\n';

/** A server that counts its requests. */
async function pageServer(answer: RequestListener) {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url} ${request.headers['accept-encoding'] ?? 'plain'}`);
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`, requests };
}

const serving = (page: string) => pageServer((_, response) => response.end(page));

/** Names without a dot exist only where they are listed. */
const resolving =
  (...names: readonly string[]) =>
  async (name: string) => {
    if (names.includes(name) || name.includes('.')) return ['127.0.0.1'];
    const cause = Object.assign(new Error('queryA ENOTFOUND'), { code: 'ENOTFOUND' });
    throw unresolved(name, {
      code: 'ENOTFOUND',
      cause,
      replies: [{ server: '127.0.0.11', code: 'ENOTFOUND' }],
    });
  };

function metricsOf(
  pages: Partial<MetricsPages>,
  more: { seconds?: number; resolve?: ReturnType<typeof resolving> } = {},
) {
  let ms = 0;
  const runtimeMetrics = createRuntimeMetrics({
    pages: { edgeAgent: undefined, edgeHub: undefined, ...pages },
    resolve: more.resolve ?? resolving(),
    dial,
    now: () => new Date('2026-11-21T20:30:00Z'),
    monotonic: () => ms,
    ...(more.seconds === undefined ? {} : { seconds: more.seconds }),
  });
  return {
    read: (component: 'edgeAgent' | 'edgeHub' = 'edgeHub') => runtimeMetrics(component, signal),
    passed(seconds: number) {
      ms += seconds * 1000;
    },
    runtimeMetrics,
  };
}

const refusal = (work: Promise<unknown>) =>
  work.then(
    () => 'accepted',
    (error: unknown) => {
      if (error instanceof CannotTell) return { reason: error.reason, message: error.message };
      throw error;
    },
  );

test('the samples of edgeHub, and the instance they name', async () => {
  const { url, requests } = await serving(hubPage);
  const { read } = metricsOf({ edgeHub: url });
  expect(await read()).toMatchObject({
    readAt: new Date('2026-11-21T20:30:00Z'),
    instance: '8f',
    samples: [
      { name: 'edgehub_queue_length', labels: { endpoint: 'iothub' }, value: 12 },
      { name: 'edgehub_connected_clients', labels: {}, value: 2 },
    ],
  });
  expect(requests).toEqual(['GET /metrics plain']);
});

test('a page without an instance has none', async () => {
  const { url } = await serving('edgeAgent_iothub_syncs_total 1\n');
  expect(await metricsOf({ edgeAgent: url }).read('edgeAgent')).toMatchObject({ instance: undefined });
});

describe('one request', () => {
  test('serves all checks of a run', async () => {
    const { url, requests } = await serving(hubPage);
    const { read, passed } = metricsOf({ edgeHub: url });
    const [first, second] = await Promise.all([read(), read()]);
    passed(1.9);
    expect([second, await read()]).toEqual([first, first]);
    expect(requests).toHaveLength(1);
    passed(0.1);
    await read();
    expect(requests).toHaveLength(2);
  });

  test('that failed is made again', async () => {
    let ready = false;
    const { url, requests } = await pageServer((_, response) =>
      ready ? response.end(hubPage) : response.writeHead(503).end(),
    );
    const { read } = metricsOf({ edgeHub: url });
    expect(await refusal(read())).toMatchObject({ reason: 'unreadable' });
    ready = true;
    expect(await read()).toMatchObject({ instance: '8f' });
    expect(requests).toHaveLength(2);
  });

  test('goes on for the others when one stops waiting', async () => {
    const { url, requests } = await serving(hubPage);
    const { read, runtimeMetrics } = metricsOf({ edgeHub: url });
    const stopping = new AbortController();
    const stopped = runtimeMetrics('edgeHub', stopping.signal);
    const page = read();
    stopping.abort(new Error('stopping'));
    await expect(stopped).rejects.toThrow('stopping');
    expect(await page).toMatchObject({ instance: '8f' });
    expect(requests).toHaveLength(1);
  });
});

describe('no answer', () => {
  test('the agent is no module', async () => {
    expect(await refusal(metricsOf({}).read())).toEqual({
      reason: 'not_applicable',
      message: 'The metrics of edgeHub are unknown: the agent does not run as a module',
    });
  });

  const pages = { edgeAgent: 'http://edgeAgent:9600/metrics', edgeHub: 'http://edgeHub:9600/metrics' };

  test('neither name resolves: the module is on another network', async () => {
    const failed = metricsOf(pages).read();
    await expect(failed).rejects.toMatchObject({
      remedy: expect.stringContaining('HARDENING_EDGEHUB_METRICS'),
    });
    expect(await refusal(failed)).toEqual({
      reason: 'no_access',
      message:
        'The metrics of edgeHub could not be read: edgehub does not resolve: there is no such name (ENOTFOUND, asked 127.0.0.11)',
    });
  });

  test('only one of the names does not resolve: that module does not run', async () => {
    const { read } = metricsOf(pages, { resolve: resolving('edgeagent') });
    expect(await refusal(read())).toEqual({
      reason: 'not_found',
      message: 'The metrics of edgeHub could not be read: edgeHub does not run',
    });
  });

  test('the name server fails', async () => {
    const resolve = async () => {
      const cause = Object.assign(new Error('queryA ESERVFAIL'), { code: 'ESERVFAIL' });
      throw unresolved('edgehub', { code: 'ESERVFAIL', cause, replies: [] });
    };
    expect(await refusal(metricsOf(pages, { resolve }).read())).toMatchObject({ reason: 'unreadable' });
  });

  test('nothing listens', async () => {
    const url = `http://127.0.0.1:${await refusedPort()}/metrics`;
    expect(await refusal(metricsOf({ edgeHub: url }).read())).toMatchObject({
      reason: 'unreadable',
      message: expect.stringMatching(/^The metrics of edgeHub could not be read: .*refused the connection/),
    });
  });

  test('silence for longer than the deadline', async () => {
    const { port } = await silentServer();
    const { read } = metricsOf({ edgeHub: `http://127.0.0.1:${port}/metrics` }, { seconds: 0.05 });
    expect(await refusal(read())).toEqual({
      reason: 'timed_out',
      message: 'No metrics of edgeHub within 0.05 s',
    });
  });

  test.each<[string, RequestListener, string]>([
    ['a redirect', (_, r) => r.writeHead(302, { Location: '/other' }).end(), 'was answered 302'],
    ['an error', (_, r) => r.writeHead(500).end(hubPage), 'was answered 500'],
    [
      'a compressed page',
      (_, r) => r.writeHead(200, { 'Content-Encoding': 'gzip' }).end(gzipSync(hubPage)),
      'was answered with a compressed page',
    ],
    [
      'too large a page',
      (_, r) => r.end(hubPage + '#'.repeat(maxPageBytes)),
      `was answered with more than ${maxPageBytes} bytes`,
    ],
    [
      'a page without an end',
      (_, r) => {
        const more = () => r.write('#'.repeat(65_536), more);
        more();
      },
      `was answered with more than ${maxPageBytes} bytes`,
    ],
    [
      'another protocol',
      (_, r) => r.writeHead(101, { Connection: 'upgrade', Upgrade: 'x' }).end(),
      'was answered',
    ],
    ['a web page', (_, r) => r.end('<html>'), 'is no page of metrics: Its line 1 is cut off'],
    ['a page of another program', (_, r) => r.end('node_load1 0.5\n'), 'has no metrics of edgeHub'],
    [
      'the page of edgeAgent',
      (_, r) => r.end('edgeAgent_iothub_syncs_total 1\n'),
      'has no metrics of edgeHub',
    ],
    ['an empty page', (_, r) => r.end(), 'has no metrics of edgeHub'],
  ])('%s', async (_, answer, message) => {
    const { url } = await pageServer(answer);
    const refused = await refusal(metricsOf({ edgeHub: url }).read());
    expect(refused).toMatchObject({ reason: 'unreadable', message: expect.stringContaining(message) });
  });

  test.each([
    ['is cut off', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nedgehub_a 1\n'],
    ['is not HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['is empty', ''],
    ['has too large a head', `HTTP/1.1 200 OK\r\nA: ${'a'.repeat(20_000)}\r\n\r\n`],
  ])('an answer that %s', async (_, bytes) => {
    const { port } = await tcpServer((socket) => socket.once('data', () => socket.end(bytes)));
    const url = `http://127.0.0.1:${port}/metrics`;
    expect(await refusal(metricsOf({ edgeHub: url }).read())).toMatchObject({
      reason: 'unreadable',
      message: expect.stringContaining(`GET ${url} was not answered`),
    });
  });
});

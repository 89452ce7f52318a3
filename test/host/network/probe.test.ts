import { once } from 'node:events';
import type { Socket } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import { createRoot, type Issued } from '../../../simulator/workload/pki.ts';
import { CannotTell } from '../../../src/check.ts';
import { createResolver } from '../../../src/host/network/resolve.ts';
import type { ProbeTarget } from '../../../src/host/network/types.ts';
import { network } from '../../support/fixtures/host-network.ts';
import { type DnsAnswer, dnsServers } from '../../support/servers/dns.ts';
import {
  deadline,
  proxyServer,
  refusedPort,
  silentServer,
  tcpServer,
  tlsServer,
} from '../../support/servers/tcp.ts';

const never = new AbortController().signal;
const hour = 3_600_000;
const hoursAgo = (hours: number) => new Date(Date.now() - hours * hour);

let root: Issued;
let valid: Issued;

beforeAll(async () => {
  root = await createRoot({ commonName: 'Test Root' });
  const below = await root.issue({ commonName: 'Test Intermediate', ca: true });
  valid = await below.issue({ commonName: 'hub', names: ['hub.test'] });
});

const hub = (scheme: ProbeTarget['scheme'], port: number): ProbeTarget => ({
  scheme,
  host: 'hub.test',
  port,
});
const { probe: probeDirectly } = network({});

describe('tcp', () => {
  test('a server that accepts is reached, with the time of each phase', async () => {
    const { port } = await silentServer();
    const probe = await probeDirectly(hub('tcp', port), never);
    expect(probe).toEqual({ seconds: { resolve: expect.any(Number), connect: expect.any(Number) } });
  });

  test('a port where nothing listens is refused, with the code', async () => {
    const port = await refusedPort();
    const probe = await probeDirectly(hub('tcp', port), never);
    const detail = `127.0.0.1:${port} refused the connection (ECONNREFUSED)`;
    expect(probe.failure).toEqual({ reason: 'refused', detail, code: 'ECONNREFUSED' });
    expect(probe.seconds).toHaveProperty('connect');
  });

  test('one address that refuses does not hide another that accepts', async () => {
    const { port } = await silentServer();
    const { probe } = network({ resolve: async () => ['127.0.0.2', '::1', '127.0.0.1'] });
    expect((await probe(hub('tcp', port), never)).failure).toBeUndefined();
  });
});

describe('address families', () => {
  const both = async () => ['127.0.0.1', '::1'];

  test('of which one refuses are reached over the other, and the failure is reported', async () => {
    const { port } = await silentServer();
    const probe = await network({ resolve: both }).probe(hub('tcp', port), never);
    expect(probe.failure).toBeUndefined();
    expect(probe.brokenFamily).toBe(
      `IPv6 does not work: [::1]:${port} refused the connection (ECONNREFUSED)`,
    );
  });

  test('that both work are not mentioned', async () => {
    const { port } = await silentServer('::');
    const probe = await network({ resolve: both }).probe(hub('tcp', port), never);
    expect(probe).toEqual({ seconds: { resolve: expect.any(Number), connect: expect.any(Number) } });
  });

  test('that both refuse are both reported', async () => {
    const port = await refusedPort();
    const { failure } = await network({ resolve: both }).probe(hub('tcp', port), never);
    expect(failure).toEqual({
      reason: 'refused',
      code: 'ECONNREFUSED',
      detail: `127.0.0.1:${port} refused the connection (ECONNREFUSED); [::1]:${port} refused the connection (ECONNREFUSED)`,
    });
  });
});

describe('names', () => {
  const resolveBy = async (answer: DnsAnswer) => {
    const port = await dnsServers(() => answer);
    return createResolver({ port, resolvConf: '/nonexistent/resolv.conf' }).resolve;
  };

  test('one that does not exist is dns_failed and nothing after it is reached', async () => {
    const resolve = await resolveBy('no such name');
    const probe = await network({ resolve }).probe(hub('tcp', 1), never);
    expect(probe.failure).toMatchObject({
      reason: 'dns_failed',
      detail: expect.stringContaining('ENOTFOUND'),
    });
    expect(Object.keys(probe.seconds)).toEqual(['resolve']);
  });

  test('a resolver that never answers is timed_out in the DNS lookup', async () => {
    const resolve = await resolveBy('silence');
    const probe = await network({ resolve }).probe(hub('tcp', 1), AbortSignal.timeout(100));
    expect(probe.failure).toEqual({
      reason: 'timed_out',
      detail: 'No answer to the DNS lookup of hub.test',
    });
    expect(Object.keys(probe.seconds)).toEqual(['resolve']);
  });
});

describe('tls', () => {
  const probeTls = async (shown: Issued, bundle = root.certificate) => {
    const { port } = await tlsServer(shown);
    return network({ bundle }).probe(hub('tls', port), never);
  };

  test('a valid chain to the trust bundle is reached', async () => {
    const probe = await probeTls(valid);
    expect(probe.failure).toBeUndefined();
    expect(Object.keys(probe.seconds)).toEqual(['resolve', 'connect', 'tls']);
  });

  test.each([
    ['expired', { notBefore: hoursAgo(48), notAfter: hoursAgo(24) }, /"CN=hub" expired on \d{4}-\d\d-\d\d$/],
    ['not yet valid', { notBefore: hoursAgo(-24) }, /"CN=hub" is valid only from \d{4}-\d\d-\d\d$/],
    ['for another name', { names: ['other.test'] }, /is not for hub\.test .*other\.test/],
  ])('a certificate that is %s is tls_failed', async (_, wrong, detail) => {
    const shown = await root.issue({ commonName: 'hub', names: ['hub.test'], ...wrong });
    const { failure } = await probeTls(shown);
    expect(failure).toEqual({ reason: 'tls_failed', detail: expect.stringMatching(detail) });
  });

  test.each([
    ['self-signed', () => createRoot({ commonName: 'Box', names: ['hub.test'] }), 'CN=Box'],
    ['of an unknown root', () => issuedBy('Inspector', {}), 'CN=Inspector'],
    [
      'of an unknown root and expired',
      () => issuedBy('Inspector', { notAfter: hoursAgo(0.5) }),
      'CN=Inspector',
    ],
  ])('a certificate that is %s is intercepted, and its issuer named', async (_, make, issuer) => {
    const { failure } = await probeTls(await make());
    expect(failure).toEqual({
      reason: 'intercepted',
      detail: expect.stringContaining(`issued by "${issuer}"`),
    });
  });

  test('an issuer is not called unknown while the trust bundle cannot be read', async () => {
    const { port } = await tlsServer(valid);
    const trustBundle = async () => {
      throw new CannotTell('not_found', 'there is no socket');
    };
    const probe = network({ workload: { trustBundle } }).probe(hub('tls', port), never);
    await expect(probe).rejects.toMatchObject({
      reason: 'unreadable',
      message: expect.stringContaining('the trust bundle could not be read: there is no socket'),
    });
  });

  test('a silent server is timed_out in the handshake, with the phases before it', async () => {
    const { port, asked } = await silentServer();
    const probe = await probeDirectly(hub('tls', port), asked);
    const detail = `No answer to the TLS handshake with hub.test:${port}, which accepted the TCP connection`;
    expect(probe.failure).toEqual({ reason: 'timed_out', detail });
    expect(Object.keys(probe.seconds)).toEqual(['resolve', 'connect', 'tls']);
  });

  test.each([
    ['speaks something else', 'SSH-2.0-test\r\n', /^The TLS handshake failed: .*\(ERR_SSL_.*\)$/],
    ['hangs up', '', /the other side closed the connection \(ECONNRESET\)$/],
  ])('a server that %s is tls_failed', async (_, sent, detail) => {
    const { port } = await tcpServer((socket) => socket.once('data', () => socket.end(sent)));
    const { failure } = await probeDirectly(hub('tls', port), never);
    expect(failure).toEqual({ reason: 'tls_failed', detail: expect.stringMatching(detail) });
  });
});

describe('https', () => {
  const probeHttps = async (status: number, path?: string) => {
    const { port } = await tlsServer(valid, (_, response) => response.writeHead(status).end());
    const target = { ...hub('https', port), ...(path && { path }) };
    return network({ bundle: root.certificate }).probe(target, never);
  };

  test('the first byte is timed as a phase of its own', async () => {
    const { seconds } = await probeHttps(200);
    expect(Object.keys(seconds)).toEqual(['resolve', 'connect', 'tls', 'first_byte']);
  });

  test.each([
    [200, '/v2/'],
    [302, '/v2/'],
    [404, undefined],
    [503, '/v2/'],
  ])('the status %d for the path %s is an answer, for the check to judge', async (status, path) => {
    const { failure, answer } = await probeHttps(status, path);
    expect({ failure, answer }).toEqual({ failure: undefined, answer: { status, contentType: undefined } });
  });

  test('asks for the path it was given and follows no redirect', async () => {
    const asked: unknown[] = [];
    const { port } = await tlsServer(valid, ({ method, url, headers }, response) => {
      asked.push([method, url, headers.host]);
      response.writeHead(302, { Location: '/elsewhere' }).end();
    });
    await network({ bundle: root.certificate }).probe({ ...hub('https', port), path: '/v2/?a=b' }, never);
    expect(asked).toEqual([['GET', '/v2/?a=b', `hub.test:${port}`]]);
  });

  test('a body that never ends is not waited for', async () => {
    const { port } = await tlsServer(valid, (_, response) => response.writeHead(200).write('x'));
    const { failure } = await network({ bundle: root.certificate }).probe(hub('https', port), never);
    expect(failure).toBeUndefined();
  });

  test('a server that accepts and never speaks is timed_out in the handshake', async () => {
    const { port, asked } = await silentServer();
    const probe = await probeDirectly(hub('https', port), asked);
    const detail = `No answer to the TLS handshake with hub.test:${port}, which accepted the TCP connection`;
    expect(probe.failure).toEqual({ reason: 'timed_out', detail });
  });

  test('the content type is part of the answer', async () => {
    const { port } = await tlsServer(valid, (_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end();
    });
    const { answer } = await network({ bundle: root.certificate }).probe(hub('https', port), never);
    expect(answer).toEqual({ status: 200, contentType: 'text/html; charset=utf-8' });
  });

  test('a server that takes the request and never answers is timed_out in it', async () => {
    const { signal, pass } = deadline();
    const { port } = await tlsServer(valid, pass);
    const probe = await network({ bundle: root.certificate }).probe(hub('https', port), signal);
    expect(probe.failure).toEqual({ reason: 'timed_out', detail: 'No answer to the request GET /' });
    expect(probe.seconds).toHaveProperty('first_byte');
  });

  test('a server that hangs up on the request is http_status', async () => {
    const { port } = await tlsServer(valid, (request) => request.socket.destroy());
    const { failure } = await network({ bundle: root.certificate }).probe(hub('https', port), never);
    expect(failure).toEqual({
      reason: 'http_status',
      detail: expect.stringMatching(/^GET \/ was not answered in HTTP \(.*(?:closed|ECONNRESET)/),
    });
  });
});

describe('a proxy', () => {
  test.each(['tls', 'https'] as const)('carries %s, with its credentials', async (scheme) => {
    const server = await tlsServer(valid, (_, response) => response.end());
    const proxy = await proxyServer({ upstreamPort: server.port });
    const httpsProxy = `http://device:s%40cret@proxy.test:${proxy.port}`;
    // The endpoint's own name is the proxy's to resolve.
    const resolve = async (name: string) => {
      if (name === 'proxy.test') return ['127.0.0.1'];
      throw new CannotTell('dns_failed', `${name} does not resolve`);
    };
    const { probe } = network({ bundle: root.certificate, httpsProxy, resolve });
    expect((await probe(hub(scheme, 8883), never)).failure).toBeUndefined();
    const authorization = `Basic ${Buffer.from('device:s@cret').toString('base64')}`;
    expect(proxy.asked).toEqual([{ authority: 'hub.test:8883', authorization }]);
  });

  test.each([
    ['device:s3cret@', 403, '(403 Forbidden)'],
    [
      'device:s3cret@',
      407,
      '(407 Proxy Authentication Required): it does not accept the credentials in https_proxy',
    ],
    ['', 407, '(407 Proxy Authentication Required): it requires credentials, and https_proxy has none'],
  ])('with %j that answers %d is proxy_failed, without its credentials', async (secret, refuse, why) => {
    const { port } = await proxyServer({ refuse });
    const { probe } = network({ httpsProxy: `http://${secret}proxy.test:${port}` });
    const { failure, proxy } = await probe(hub('tls', 8883), never);
    const detail = `The proxy proxy.test:${port} refused to connect to hub.test:8883 ${why}`;
    expect(failure).toEqual({ reason: 'proxy_failed', detail });
    expect(proxy).toBe(`proxy.test:${port}`);
  });

  test('that connects and then drops what is sent is timed_out in the handshake, and named', async () => {
    const { port: upstreamPort, asked } = await silentServer();
    const { port } = await proxyServer({ upstreamPort });
    const { probe } = network({ httpsProxy: `http://127.0.0.1:${port}` });
    const { failure, proxy } = await probe(hub('tls', 8883), asked);
    expect(failure).toEqual({
      reason: 'timed_out',
      detail: `No answer to the TLS handshake with hub.test:8883, to which the proxy 127.0.0.1:${port} has connected`,
    });
    expect(proxy).toBe(`127.0.0.1:${port}`);
  });

  test('that cannot be reached is proxy_failed', async () => {
    const port = await refusedPort();
    const { failure } = await network({ httpsProxy: `http://127.0.0.1:${port}` }).probe(
      hub('tls', 8883),
      never,
    );
    expect(failure).toEqual({ reason: 'proxy_failed', detail: expect.stringContaining('ECONNREFUSED') });
  });

  test('that never answers is timed_out, and named', async () => {
    const { port, asked } = await silentServer();
    const { probe } = network({ httpsProxy: `http://127.0.0.1:${port}` });
    const { failure } = await probe(hub('tls', 8883), asked);
    const detail = `No answer to the CONNECT request to the proxy 127.0.0.1:${port}`;
    expect(failure).toEqual({ reason: 'timed_out', detail });
  });

  test('is passed by for tcp, and for what no_proxy names', async () => {
    const { port } = await tlsServer(valid);
    const proxy = await proxyServer({ refuse: 403 });
    const httpsProxy = `http://127.0.0.1:${proxy.port}`;
    const { probe } = network({ bundle: root.certificate, httpsProxy, noProxy: 'hub.test' });
    expect((await probe(hub('tls', port), never)).failure).toBeUndefined();
    const proxied = network({ httpsProxy });
    expect((await proxied.probe(hub('tcp', port), never)).failure).toBeUndefined();
    expect(proxy.asked).toEqual([]);
  });
});

describe('when the agent stops', () => {
  const reason = new Error('stopping');

  test.each(['tls', 'https'] as const)(
    'a %s probe rejects with the reason and closes its socket',
    async (scheme) => {
      const stopping = new AbortController();
      const server = await tcpServer(() => stopping.abort(reason));
      await expect(probeDirectly(hub(scheme, server.port), stopping.signal)).rejects.toBe(reason);
      await closed(server.connections);
    },
  );

  test('a probe that has not begun opens nothing', async () => {
    const { port, connections } = await silentServer();
    await expect(probeDirectly(hub('tcp', port), AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(connections).toEqual([]);
  });
});

test('no probe leaves a socket open, whatever came of it', async () => {
  const silent = await silentServer();
  const shown = await tlsServer(valid, (_, response) => response.end('x'));
  const { probe } = network({ bundle: root.certificate });
  await probe(hub('tcp', silent.port), never);
  await probe(hub('tls', silent.port), silent.asked);
  await probe(hub('tls', shown.port), never);
  await probe(hub('https', shown.port), never);
  const all = [...silent.connections, ...shown.connections];
  expect(all).toHaveLength(4);
  await closed(all);
});

/** Waits until the other side has closed each connection. */
const closed = (connections: readonly Socket[]) =>
  Promise.all(connections.map((socket) => socket.destroyed || once(socket.resume(), 'close')));

async function issuedBy(commonName: string, request: { notAfter?: Date }): Promise<Issued> {
  const unknown = await createRoot({ commonName });
  return unknown.issue({ commonName: 'hub', names: ['hub.test'], ...request });
}

import { describe, expect, test } from 'vitest';
import { CannotTell } from '../../../src/check.ts';
import { outboundReachability } from '../../../src/checks/network/outbound-reachability.ts';
import {
  type Probe,
  type ProbeFailure,
  type ProbeTarget,
  probeFailures,
} from '../../../src/host/network/types.ts';
import type { Host } from '../../../src/host.ts';
import { fakeHost } from '../../support/fixtures/fake-host.ts';
import { network } from '../../support/fixtures/host-network.ts';
import { silentServer } from '../../support/servers/tcp.ts';

const never = new AbortController().signal;
const { examine, params, reasons, subjects } = outboundReachability;
const policy = params.parse({});
const names = { iothub: 'hub.test' };
const subject = { target: 'tls://hub.test:8883' };

describe('subjects', () => {
  test("are the targets with this device's own names, each once", async () => {
    const given = params.parse({
      targets: ['tls://{iothub}:8883', 'tls://hub.test:8883', 'tcp://192.0.2.1:53'],
    });
    const found = await subjects(given, fakeHost({ names }), never);
    expect(found).toEqual([{ target: 'tls://hub.test:8883' }, { target: 'tcp://192.0.2.1:53' }]);
  });

  test('whose name is not known stay as written and are not applicable', async () => {
    const [first = subject] = await subjects(policy, fakeHost({}), never);
    expect(first.target).toBe('tls://{iothub}:8883');
    await expect(examine(first, policy, fakeHost({}), never)).rejects.toMatchObject({
      reason: 'not_applicable',
      remedy: expect.any(String),
    });
  });

  test('are every registry that the images of this device come from', async () => {
    const images = [
      'mcr.microsoft.com/azureiotedge-hub:1.6',
      'acme.azurecr.io:5000/plc@sha256:00',
      'nginx:1',
    ];
    const modules = async () => ({
      listedAt: new Date(0),
      uptimeSeconds: 86_400,
      modules: images.map((image, i) => ({
        name: `m${i}`,
        image,
        labelsHash: '',
        state: 'running' as const,
      })),
    });
    const given = params.parse({
      targets: ['https://{registries}/v2/', 'tls://{registries}:443', 'https://mcr.microsoft.com/v2/'],
    });
    const found = await subjects(given, fakeHost({ modules }), never);
    expect(found.map(({ target }) => target)).toEqual([
      'https://mcr.microsoft.com/v2/',
      'https://acme.azurecr.io:5000/v2/',
      'https://registry-1.docker.io/v2/',
      'tls://mcr.microsoft.com:443',
      'tls://acme.azurecr.io:443',
      'tls://registry-1.docker.io:443',
    ]);
  });

  test.each<[string, Host['modules']]>([
    [
      'no_access',
      async () => {
        throw new CannotTell('no_access', 'The workload API gave no answer');
      },
    ],
    [
      'timed_out',
      (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    ],
  ])(
    'report why the registries are unknown (%s) while the other targets are tried',
    async (reason, modules) => {
      const given = params.parse({ targets: ['https://{registries}/v2/', 'tcp://192.0.2.1:53'] });
      const host = fakeHost({ modules });
      const [unknown = subject, known] = await subjects(given, host, never);
      expect(known).toEqual({ target: 'tcp://192.0.2.1:53' });
      await expect(examine(unknown, given, host, never)).rejects.toMatchObject({ reason });
    },
  );
});

test('a target that is reached passes, with the time of each phase', async () => {
  const tried: ProbeTarget[] = [];
  const host = fakeHost({
    probe: async (target) => {
      tried.push(target);
      return { seconds: { resolve: 0.01, connect: 0.02, tls: 0.06 } };
    },
  });
  expect(await examine(subject, policy, host, never)).toEqual({
    status: 'pass',
    message: 'Reached in 0.09 s',
    readings: [
      { gauge: 'outbound_success', value: 1 },
      { gauge: 'outbound_duration_seconds', labels: { phase: 'resolve' }, value: 0.01 },
      { gauge: 'outbound_duration_seconds', labels: { phase: 'connect' }, value: 0.02 },
      { gauge: 'outbound_duration_seconds', labels: { phase: 'tls' }, value: 0.06 },
    ],
  });
  expect(tried).toEqual([{ scheme: 'tls', host: 'hub.test', port: 8883 }]);
});

test.each<[Partial<Probe>, string]>([
  [{ proxy: 'proxy.test:3128' }, 'Reached in 0.02 s through the proxy proxy.test:3128'],
  [{ brokenFamily: 'IPv6 does not work: why' }, 'Reached in 0.02 s, but IPv6 does not work: why'],
])('a pass also reports %j, without another reading', async (more, message) => {
  const host = fakeHost({ probe: async () => ({ seconds: { connect: 0.02 }, ...more }) });
  const verdict = await examine(subject, policy, host, never);
  expect(verdict).toMatchObject({ status: 'pass', message });
  expect(verdict.readings).toHaveLength(2);
});

describe('a target that is not reached', () => {
  const failing = (reason: ProbeFailure): Probe => ({
    failure: { reason, detail: 'What happened' },
    seconds: { connect: 0.5 },
  });

  test.each<[ProbeFailure, RegExp]>([
    ['dns_failed', /`getent hosts hub\.test`/],
    ['refused', /firewall.*`curl -v telnet:\/\/hub\.test:8883`/],
    ['timed_out', /firewall.*hub\.test:8883/],
    ['tls_failed', /`openssl s_client -connect hub\.test:8883 -servername hub\.test`/],
    ['intercepted', /Exclude hub\.test from TLS inspection/],
    ['http_status', /`curl -v https:\/\/hub\.test:8883`/],
    ['proxy_failed', /CONNECT to hub\.test:8883.*https_proxy/],
  ])('fails for %s with a remedy', async (reason, remedy) => {
    const verdict = await examine(subject, policy, fakeHost({ probe: async () => failing(reason) }), never);
    expect(verdict).toEqual({
      status: 'fail',
      reason,
      message: 'What happened, after 0.50 s',
      remedy: expect.stringMatching(remedy),
      readings: [
        { gauge: 'outbound_success', value: 0 },
        { gauge: 'outbound_duration_seconds', labels: { phase: 'connect' }, value: 0.5 },
      ],
    });
  });

  test.each<[ProbeFailure, string, string]>([
    ['http_status', 'https://hub.test:5000/v2/', '`curl -v https://hub.test:5000/v2/`'],
    ['http_status', 'https://hub.test/a?b=1&c=2', "`curl -v 'https://hub.test:443/a?b=1&c=2'`"],
    ['http_status', "https://hub.test/it's", "`curl -v 'https://hub.test:443/it'\\''s'`"],
    ['http_status', 'https://hub.test/$(id)', "`curl -v 'https://hub.test:443/$(id)'`"],
    ['refused', 'tcp://[2001:db8::1]:53', "`curl -v 'telnet://[2001:db8::1]:53'`"],
    ['http_status', 'https://[2001:db8::1]/v2/', "`curl -v 'https://[2001:db8::1]:443/v2/'`"],
  ])('for %s of %s has a command for exactly that target', async (reason, target, remedy) => {
    const host = fakeHost({ probe: async () => failing(reason) });
    expect(await examine({ target }, policy, host, never)).toMatchObject({
      remedy: expect.stringContaining(remedy),
    });
  });

  test.each<[string, string, RegExp]>([
    [
      'ENETUNREACH',
      'tcp://203.0.113.1:53',
      /^Run `ip route get 203\.0\.113\.1` on the device: it has no route/,
    ],
    ['ENETUNREACH', 'tcp://hub.test:53', /^Run `ip route` and `ip -6 route` on the device: it has no route/],
    ['EADDRNOTAVAIL', 'tcp://[2001:db8::1]:53', /^Run `ip route get 2001:db8::1` on the device/],
    ['EINVAL', 'tcp://203.0.113.1:53', /^Run `ip route get 203\.0\.113\.1` .* remove the route that rejects/],
    ['EACCES', 'tcp://203.0.113.1:53', /^Run `ip route get 203\.0\.113\.1` .* otherwise allow outbound TCP/],
    [
      'EHOSTUNREACH',
      'tcp://203.0.113.1:53',
      /^Run `ip route get 203\.0\.113\.1` .* check that the host is up/,
    ],
    ['ECONNREFUSED', 'tcp://203.0.113.1:53', /^Allow outbound TCP to 203\.0\.113\.1:53 in the firewall/],
    ['ENOPROTOOPT', 'tcp://203.0.113.1:53', /^Allow outbound TCP to 203\.0\.113\.1:53 in the firewall/],
  ])('for %s of %s has a remedy of its own', async (code, target, remedy) => {
    const probe = async () => ({ seconds: {}, failure: { reason: 'refused' as const, detail: 'It', code } });
    expect(await examine({ target }, policy, fakeHost({ probe }), never)).toMatchObject({
      remedy: expect.stringMatching(remedy),
    });
  });

  test.each([
    [undefined, /^Run `getent hosts hub\.test` on the device\. .*UDP and TCP 53/],
    ['proxy.test:3128', /^Run `getent hosts proxy\.test` on the device\. .*UDP and TCP 53/],
  ])('because no name server answers in time has a DNS remedy (proxy %s)', async (proxy, remedy) => {
    const silent: Probe = { ...failing('timed_out'), seconds: { resolve: 5 }, ...(proxy && { proxy }) };
    const verdict = await examine(subject, policy, fakeHost({ probe: async () => silent }), never);
    expect(verdict).toMatchObject({ reason: 'timed_out', remedy: expect.stringMatching(remedy) });
  });

  test.each<[string, Partial<Probe>, string, RegExp]>([
    [
      'that accepts the connection and stays silent',
      { seconds: { resolve: 0.1, connect: 0.1, tls: 5 } },
      'tls://hub.test:8883',
      /^Check that port 8883 of hub\.test speaks TLS: `curl -v --max-time 5 https:\/\/hub\.test:8883`\. .*drops TLS.*MTU/,
    ],
    [
      'whose handshake a proxy drops',
      { seconds: { resolve: 0.1, connect: 0.1, tls: 5 }, proxy: 'proxy.test:3128' },
      'tls://hub.test:8883',
      /^Check that port 8883 of hub\.test speaks TLS, and that the proxy proxy\.test:3128 passes it on unchanged: `curl .*-x http:\/\/proxy\.test:3128 /,
    ],
    [
      'that takes the request and stays silent',
      { seconds: { resolve: 0.1, connect: 0.1, tls: 0.1, first_byte: 5 } },
      'https://hub.test/v2/',
      /does not answer it: `curl -v --max-time 60 https:\/\/hub\.test:443\/v2\/`\. .*timeoutSeconds/,
    ],
  ])('%s has a remedy of its own', async (_, reached, target, remedy) => {
    const probe = async () => ({ ...failing('timed_out'), ...reached });
    const verdict = await examine({ target }, policy, fakeHost({ probe }), never);
    expect(verdict).toMatchObject({ reason: 'timed_out', remedy: expect.stringMatching(remedy) });
  });

  test('answers with a page that a browser can show', async () => {
    const probe = async () => ({ seconds: {}, answer: { status: 200, contentType: 'text/html' } });
    const target = 'https://hub.test:5000/v2/';
    expect(await examine({ target }, policy, fakeHost({ probe }), never)).toMatchObject({
      reason: 'wrong_content',
      remedy: expect.stringContaining('Open https://hub.test:5000/v2/ in a browser'),
    });
  });

  test('through a silent proxy has a remedy for the proxy', async () => {
    const probe = async () => ({ ...failing('timed_out'), proxy: 'proxy.test:3128' });
    const verdict = await examine(subject, policy, fakeHost({ probe }), never);
    expect(verdict).toMatchObject({
      reason: 'timed_out',
      remedy: expect.stringMatching(/port 8883.*`curl .* -x http:\/\/proxy\.test:3128/),
    });
  });

  test('has a declared reason', () => {
    expect([...reasons, 'timed_out'].sort()).toEqual([...probeFailures, 'wrong_content'].sort());
  });
});

describe('the time-out of a target', () => {
  // Enough to connect on a busy machine.
  const hasty = params.parse({ timeoutSeconds: 2 });

  test('is a failure, not an unknown, with the phase it reached', async () => {
    const { port } = await silentServer();
    const host = fakeHost(network({}));
    const verdict = await examine({ target: `tls://127.0.0.1:${port}` }, hasty, host, never);
    expect(verdict).toMatchObject({
      status: 'fail',
      reason: 'timed_out',
      message: expect.stringMatching(
        /^No answer to the TLS handshake with 127\.0\.0\.1:\d+, which accepted the TCP connection, after \d\.\d\d s$/,
      ),
      remedy: expect.stringMatching(/^Check that port \d+ of 127\.0\.0\.1 speaks TLS: .*drops TLS/),
    });
  });

  test('leaves an agent that stops its own reason', async () => {
    const { port } = await silentServer();
    const reason = new Error('stopping');
    const host = fakeHost(network({}));
    const stopping = new AbortController();
    const verdict = examine({ target: `tls://127.0.0.1:${port}` }, policy, host, stopping.signal);
    stopping.abort(reason);
    await expect(verdict).rejects.toBe(reason);
  });
});

test.each([{ targets: Array(513).fill('tcp://192.0.2.1:1') }, { timeoutSeconds: 0 }, { timeoutSeconds: 61 }])(
  'a policy with %j is refused',
  (given) => {
    expect(params.safeParse(given).success).toBe(false);
  },
);

describe('the answer to an https target', () => {
  test.each<[status: number, path: string, type: string | undefined, outcome: string]>([
    [200, '/v2/', undefined, 'reached'],
    [302, '/v2/', undefined, 'reached'],
    [401, '/v2/', undefined, 'reached'],
    [403, '/v2/', undefined, 'http_status'],
    [404, '/v2/', undefined, 'http_status'],
    [503, '/v2/', undefined, 'http_status'],
    [399, '/v2/', undefined, 'reached'],
    [400, '/v2/', undefined, 'http_status'],
    [199, '/v2/', undefined, 'http_status'],
    [404, '', undefined, 'reached'],
    [499, '', undefined, 'reached'],
    [500, '', undefined, 'http_status'],
    [200, '/v2/', 'text/html; charset=utf-8', 'wrong_content'],
    [200, '/v2/', 'application/json', 'reached'],
    [401, '/v2/', 'text/html', 'reached'],
    [302, '/v2/', 'text/html', 'reached'],
    [200, '/index.html', 'text/html', 'reached'],
    [200, '', 'text/html', 'reached'],
  ])('%d for the path %j with the type %s is %s', async (status, path, contentType, outcome) => {
    const probe = async () => ({ seconds: {}, answer: { status, contentType } });
    const target = `https://hub.test${path}`;
    const { readings = [], ...verdict } = await examine(
      { target },
      policy,
      fakeHost({ names, probe }),
      never,
    );
    expect(verdict.status === 'pass' ? 'reached' : verdict.reason).toBe(outcome);
    expect(readings).toContainEqual({ gauge: 'outbound_success', value: outcome === 'reached' ? 1 : 0 });
    if (outcome === 'http_status')
      expect(verdict.message).toMatch(`GET ${path || '/'} was answered ${status}, after`);
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { have, isRoot } from '../support/programs/installed.ts';
import { type Bench, createBench } from './network/bench.ts';
import { world4, world6 } from './network/namespaces.ts';
import { blackHoles, dns, hub, many, ports, rejectingRoutes, rejections } from './network/places.ts';

const able =
  isRoot && have('ip', 'iptables', 'ip6tables', 'dnsmasq', 'tinyproxy', 'prometheus-blackbox-exporter');

describe.skipIf(!able)(
  'a device in a network of its own (root, apt-get install iproute2 iptables dnsmasq-base tinyproxy prometheus-blackbox-exporter)',
  () => {
    let bench: Bench;

    beforeAll(async () => {
      bench = await createBench();
    });

    afterAll(() => bench.remove());

    const reach = async (targets: readonly string[], httpsProxy?: string) =>
      (await bench.run('outboundReachability', { targets, timeoutSeconds: 3 }, httpsProxy)).findings;

    test('each way a network can refuse has its own reason', async () => {
      const found = await reach([
        `tls://${hub}:${ports.tls}`,
        `https://${hub}/v2/`,
        `tcp://one.test:${ports.dropped}`,
        `tcp://one.test:${ports.rejected}`,
        `tcp://one.test:${ports.reset}`,
        `tcp://one.test:${ports.prohibited}`,
        `tcp://one.test:${ports.closed}`,
        `tls://${hub}:${ports.expired}`,
        `tls://${hub}:${ports.wrongName}`,
        `tls://${hub}:${ports.unknown}`,
        `tls://${hub}:${ports.silent}`,
        `https://${hub}:${ports.silent}`,
        `https://${hub}:${ports.portal}/v2/`,
        'tcp://none.azure-devices.net:1',
        // No route leads there.
        'tcp://203.0.113.1:1',
      ]);
      expect(found.map(({ reason, message }) => `${reason ?? 'pass'}: ${message}`)).toEqual([
        expect.stringMatching(/^pass: Reached in \d\.\d\d s$/),
        expect.stringMatching(/^pass: Reached in \d\.\d\d s$/),
        expect.stringMatching(
          /^timed_out: No answer to the TCP connection to one\.test:7010, after \d\.\d\d s$/,
        ),
        expect.stringMatching(/^refused: 192\.0\.2\.2:7011 refused the connection \(ECONNREFUSED\)/),
        expect.stringMatching(/^refused: 192\.0\.2\.2:7012 refused the connection \(ECONNREFUSED\)/),
        expect.stringMatching(
          /^refused: 192\.0\.2\.2:7013 is a host that the network cannot reach \(EHOSTUNREACH\)/,
        ),
        expect.stringMatching(/^refused: 192\.0\.2\.2:7007 refused the connection \(ECONNREFUSED\)/),
        expect.stringMatching(/^tls_failed: The certificate "CN=hub" expired on /),
        expect.stringMatching(/^tls_failed: The certificate is not for hub\.azure-devices\.net /),
        expect.stringMatching(/^intercepted: The certificate was issued by "CN=Inspector"/),
        expect.stringMatching(/^timed_out: No answer to the TLS handshake with /),
        expect.stringMatching(/^timed_out: No answer to the TLS handshake with /),
        expect.stringMatching(/^wrong_content: GET \/v2\/ was answered with an HTML page/),
        expect.stringMatching(
          /^dns_failed: none\.azure-devices\.net does not resolve: there is no such name/,
        ),
        expect.stringMatching(
          /^refused: 203\.0\.113\.1:1 is in a network that this device has no route to \(ENETUNREACH\)/,
        ),
      ]);
    });

    test('every answer of a firewall or a route is refused for reachability and passes containment', async () => {
      const rejected = [
        ...rejections.map(({ tables, port, code }) => ({
          target: tables === 'iptables' ? `tcp://${world4}:${port}` : `tcp://[${world6}]:${port}`,
          code,
        })),
        ...rejectingRoutes.flatMap(({ networks: [ipv4 = '', ipv6 = ''], code }) => [
          { target: `tcp://${ipv4.replace('/28', '')}:53`, code },
          { target: `tcp://[${ipv6.replace('::/48', '::1')}]:53`, code },
        ]),
      ];
      const targets = rejected.map(({ target }) => target);
      const found = await reach(targets);
      expect(
        found.map(({ target, reason, message }) => [target, reason, /\((E\w+)\)/.exec(message)?.[1]]),
      ).toEqual(rejected.map(({ target, code }) => [target, 'refused', code]));
      const { findings } = await bench.run('outboundContainment', { targets });
      expect(findings.map(({ target, status }) => [target, status])).toEqual(
        targets.map((target) => [target, 'pass']),
      );
    });

    test('a broken address family is named beside the one that works', async () => {
      const found = await reach([
        `tls://${hub}:${ports.ipv6Dropped}`,
        `tls://${hub}:${ports.ipv4Dropped}`,
        `tls://dead.test:${ports.tls}`,
      ]);
      expect(found.map(({ status, reason, message }) => [status, reason, message])).toEqual([
        [
          'pass',
          undefined,
          expect.stringMatching(
            /, but IPv6 does not work: no answer from \[2001:db8::2\]:7005 within 1\.5 s$/,
          ),
        ],
        [
          'pass',
          undefined,
          expect.stringMatching(/, but IPv4 does not work: no answer from 192\.0\.2\.2:7006 within 1\.5 s$/),
        ],
        // Reached at once past eight dead addresses; the certificate is for another name.
        ['fail', 'tls_failed', expect.stringContaining('is not for dead.test')],
      ]);
    });

    test('agrees with blackbox_exporter', async () => {
      const targets = [
        ...Object.values(ports).map((port) => `tcp://one.test:${port}`),
        ...[
          ports.tls,
          ports.expired,
          ports.wrongName,
          ports.unknown,
          ports.silent,
          ports.dropped,
          ports.closed,
        ].map((port) => `tls://one.test:${port}`),
        ...['v2/', 'ok', 'moved', 'forbidden', 'broken', 'none'].map((path) => `https://one.test/${path}`),
        `https://one.test:${ports.unknown}/ok`,
        'tcp://none.azure-devices.net:443',
      ];
      const theirs = await bench.blackbox(targets);
      const ours = (await reach(targets)).map(({ status }) => (status === 'pass' ? '1' : '0'));
      expect(theirs).toContain('1');
      expect(theirs).toContain('0');
      expect(Object.fromEntries(targets.map((target, i) => [target, ours[i]]))).toEqual(
        Object.fromEntries(targets.map((target, i) => [target, theirs[i]])),
      );
    });

    test.each([
      [
        'relays',
        '',
        ports.proxy,
        `https://${hub}/ok`,
        'pass',
        /^Reached in .* through the proxy 192\.0\.2\.2:3128$/,
      ],
      ['refuses the port of MQTT', '', ports.proxy, `tls://${hub}:8883`, 'proxy_failed', /\(403 Forbidden\)/],
      [
        'requires credentials',
        '',
        ports.closedProxy,
        `https://${hub}/ok`,
        'proxy_failed',
        /\(407 .*it requires credentials/,
      ],
      [
        'requires other credentials',
        'device:wrong@',
        ports.closedProxy,
        `https://${hub}/ok`,
        'proxy_failed',
        /does not accept the credentials/,
      ],
      [
        'gets the right credentials',
        'device:s3cret@',
        ports.closedProxy,
        `https://${hub}/ok`,
        'pass',
        /^Reached in /,
      ],
      [
        'never answers',
        '',
        ports.proxy,
        `tls://one.test:${ports.dropped}`,
        'timed_out',
        /^No answer to the CONNECT request to the proxy 192\.0\.2\.2:3128/,
      ],
    ])('a proxy that %s', async (_, credentials, port, target, outcome, message) => {
      const [finding] = await reach([target], `http://${credentials}${world4}:${port}`);
      expect(finding).toMatchObject({ message: expect.stringMatching(message) });
      expect(finding?.reason ?? finding?.status).toBe(outcome);
      expect(JSON.stringify(finding)).not.toMatch(/s3cret|wrong/);
    });

    test('containment: dropped, refused, unknown and reachable', async () => {
      const { findings } = await bench.run('outboundContainment', {
        targets: [
          `tcp://one.test:${ports.dropped}`,
          `tcp://${world4}:${ports.rejected}`,
          'tcp://none.azure-devices.net:53',
          'tcp://203.0.113.1:53',
          `tcp://one.test:${ports.silent}`,
          // Closed over IPv4 alone.
          `tcp://${hub}:${ports.ipv4Dropped}`,
          // The ninth address is the one that works.
          `tcp://dead.test:${ports.tls}`,
        ],
        severity: 'fail',
      });
      expect(findings.map(({ status, message }) => `${status}: ${message}`)).toEqual([
        'pass: Contained: the connection to 192.0.2.2:7010 was dropped (no answer within 5 s)',
        'pass: Contained: 192.0.2.2:7011 refused the connection (ECONNREFUSED)',
        'pass: Contained: none.azure-devices.net does not resolve',
        'pass: Contained: 203.0.113.1:53 is in a network that this device has no route to (ENETUNREACH)',
        expect.stringMatching(/^fail: 192\.0\.2\.2:7004 accepted a connection after \d\.\d\d s$/),
        expect.stringMatching(/^fail: \[2001:db8::2\]:7006 accepted a connection after \d\.\d\d s$/),
        expect.stringMatching(/^fail: \[2001:db8::2\]:8883 accepted a connection after \d\.\d\d s$/),
      ]);
    });

    test.each([
      ['right', {}, 'pass', /^Resolves to 192\.0\.2\.2 and 2001:db8::2 in \d\.\d{3} s$/],
      [
        'without the name',
        { names: ['none.azure-devices.net'] },
        'not_found',
        /ENOTFOUND, asked 192\.0\.2\.53\), in 3 of 3 lookups$/,
      ],
      [
        'compared with a liar',
        { servers: [dns.lying] },
        'answers_differ',
        /but 192\.0\.2\.54 answers 10\.0\.0\.9$/,
      ],
      [
        'compared with one that refuses',
        { servers: [dns.refusing] },
        'refused',
        /EREFUSED, asked 192\.0\.2\.55\)$/,
      ],
      [
        'compared with a silent one',
        { servers: [dns.silent] },
        'timed_out',
        /^192\.0\.2\.56 did not answer for .* within 5 s$|ETIMEOUT/,
      ],
    ])('names by a resolver that is %s', async (_, params, outcome, message) => {
      const { findings } = await bench.run('dnsResolution', params);
      expect(findings).toHaveLength(1);
      expect(findings[0]).toMatchObject({ message: expect.stringMatching(message) });
      expect(findings[0]?.reason ?? findings[0]?.status).toBe(outcome);
    });

    test('500 targets of which the first 50 are black holes take one time-out, and little memory', async () => {
      const targets = [
        ...blackHoles.map((port) => `tcp://${world4}:${port}`),
        ...many.map((port) => `tls://${world4}:${port}`),
      ];
      // Long compared with the time that the handshakes take on a busy machine.
      const timeoutSeconds = 15;
      const params = { targets, timeoutSeconds };
      const { findings, durationSeconds, maxRssMiB } = await bench.run('outboundReachability', params);
      const reasons = findings.map(({ reason }) => reason ?? 'pass');
      expect(reasons).toEqual([...blackHoles.map(() => 'timed_out'), ...many.map(() => 'pass')]);
      expect(durationSeconds).toBeGreaterThan(timeoutSeconds);
      expect(durationSeconds).toBeLessThan(2 * timeoutSeconds);
      // The memory limit of the module in the deployment template.
      expect(maxRssMiB).toBeLessThan(192);
    }, 60_000);
  },
);

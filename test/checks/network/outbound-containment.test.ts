import { describe, expect, test } from 'vitest';
import { CannotTell } from '../../../src/check.ts';
import { outboundContainment } from '../../../src/checks/network/outbound-containment.ts';
import type { Probe, ProbeTarget } from '../../../src/host/network/types.ts';
import { fakeHost } from '../../support/fixtures/fake-host.ts';
import { network } from '../../support/fixtures/host-network.ts';
import { refusedPort, silentServer } from '../../support/servers/tcp.ts';

const never = new AbortController().signal;
const { examine, params, subjects } = outboundContainment;
const policy = params.parse({});

const lookUp = async () => ({ addresses: ['192.0.2.1', '2001:db8::1'], seconds: 0.01 });
const refused = (host: string): Probe => ({
  failure: { reason: 'refused', detail: `${host}:53 refused the connection (ECONNREFUSED)` },
  seconds: { connect: 0.02 },
});
const dropped: Probe = { failure: { reason: 'timed_out', detail: 'No answer' }, seconds: { connect: 5 } };
const reached: Probe = { seconds: { connect: 0.03 } };

test('a refused connection is contained and distinguished from a dropped one', async () => {
  const probe = async ({ host }: ProbeTarget) => (host === '192.0.2.1' ? refused(host) : dropped);
  expect(await examine({ target: 'tcp://out.test:53' }, policy, fakeHost({ probe, lookUp }), never)).toEqual({
    status: 'pass',
    message:
      'Contained: 192.0.2.1:53 refused the connection (ECONNREFUSED); the connection to [2001:db8::1]:53 was dropped (no answer within 5 s)',
  });
});

test.each(['warn', 'fail'] as const)(
  'one reachable address is a %s, as set in the policy',
  async (severity) => {
    const probe = async ({ host }: ProbeTarget) => (host === '192.0.2.1' ? dropped : reached);
    const host = fakeHost({ probe, lookUp });
    expect(await examine({ target: 'tcp://out.test:53' }, params.parse({ severity }), host, never)).toEqual({
      status: severity,
      reason: 'reachable',
      message: '[2001:db8::1]:53 accepted a connection after 0.03 s',
      remedy: expect.stringMatching(/ with `sudo ip6tables .* -d 2001:db8::1 --dport 53 -j REJECT`\.$/),
    });
  },
);

describe('a name with many addresses', () => {
  const addresses = Array.from({ length: 200 }, (_, i) => `192.0.2.${i}`);
  const lookUp = async () => ({ addresses, seconds: 0.01 });

  test('is contained only after all of them have been tried', async () => {
    const tried: string[] = [];
    const probe = async ({ host }: ProbeTarget) => {
      tried.push(host);
      return refused(host);
    };
    const host = fakeHost({ probe, lookUp });
    expect(await examine({ target: 'tcp://out.test:53' }, policy, host, never)).toEqual({
      status: 'pass',
      message: `Contained: ${[0, 1, 2].map((i) => `192.0.2.${i}:53 refused the connection (ECONNREFUSED)`).join('; ')}; no connection to 197 more addresses was accepted`,
    });
    expect(tried).toEqual(addresses);
  });

  test.each([0, 8, 30, 199])('is reachable by address %d alone', async (index) => {
    const probe = async ({ host }: ProbeTarget) => (host === addresses[index] ? reached : refused(host));
    const host = fakeHost({ probe, lookUp });
    expect(await examine({ target: 'tcp://out.test:53' }, policy, host, never)).toMatchObject({
      status: 'warn',
      message: `192.0.2.${index}:53 accepted a connection after 0.03 s`,
    });
  });

  test('most of which are dropped is unknown, with the number that was not tried', async () => {
    let tried = 0;
    const probe = async () => {
      tried += 1;
      return dropped;
    };
    const verdict = examine({ target: 'tcp://out.test:53' }, policy, fakeHost({ probe, lookUp }), never);
    await expect(verdict).rejects.toMatchObject({
      reason: 'timed_out',
      message: `None of 36 addresses of out.test accepted a connection, but 164 more were not tried: most connections were dropped (no answer within 5 s)`,
    });
    expect(tried).toBe(36);
  });

  test('of which 30 are dropped is contained', async () => {
    const host = fakeHost({
      probe: async () => dropped,
      lookUp: async () => ({ addresses: addresses.slice(0, 30), seconds: 0.01 }),
    });
    expect(await examine({ target: 'tcp://out.test:53' }, policy, host, never)).toMatchObject({
      status: 'pass',
    });
  });
});

test('a name that does not exist is contained, with that reason', async () => {
  const lookUp = async () => {
    throw new CannotTell('not_found', 'out.test does not resolve');
  };
  expect(await examine({ target: 'tcp://out.test:53' }, policy, fakeHost({ lookUp }), never)).toEqual({
    status: 'pass',
    message: 'Contained: out.test does not resolve',
  });
});

test.each(['timed_out', 'server_failed', 'refused'])(
  'a resolver that has %s does not prove containment',
  async (reason) => {
    const lookUp = async () => {
      throw new CannotTell(reason, 'no answer');
    };
    const verdict = examine({ target: 'tcp://out.test:53' }, policy, fakeHost({ lookUp }), never);
    await expect(verdict).rejects.toMatchObject({ reason });
  },
);

describe('against real sockets', () => {
  const host = fakeHost(network({}));

  test('the check sends nothing on a connection and closes it at once', async () => {
    const server = await silentServer();
    let bytes = 0;
    const verdict = await examine({ target: `tcp://127.0.0.1:${server.port}` }, policy, host, never);
    expect(verdict).toMatchObject({ status: 'warn', reason: 'reachable' });
    const [socket] = server.connections;
    for await (const chunk of socket ?? []) bytes += chunk.length;
    expect(server.connections).toHaveLength(1);
    expect(bytes).toBe(0);
  });

  test('a closed port is contained', async () => {
    const port = await refusedPort();
    const verdict = await examine({ target: `tcp://127.0.0.1:${port}` }, policy, host, never);
    expect(verdict.message).toBe(`Contained: 127.0.0.1:${port} refused the connection (ECONNREFUSED)`);
  });
});

test.each(['tls://out.test:443', 'https://out.test'])(
  '%s is rejected, because it would send data',
  (target) => {
    const { error } = params.safeParse({ targets: [target] });
    expect(error?.issues.map(({ message }) => message)).toEqual([
      'must begin with tcp:// (nothing is sent to these targets)',
    ]);
  },
);

test("placeholders stand for this device's names", async () => {
  const given = params.parse({ targets: ['tcp://{dps}:443'] });
  expect(await subjects(given, fakeHost({}), never)).toEqual([
    { target: 'tcp://global.azure-devices-provisioning.net:443' },
  ]);
});

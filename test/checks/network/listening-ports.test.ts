import { describe, expect, test } from 'vitest';
import { listeningPorts } from '../../../src/checks/network/listening-ports.ts';
import type { Listener } from '../../../src/host/network/types.ts';
import { container } from '../../support/fixtures/container.ts';
import { fakeHost } from '../../support/fixtures/fake-host.ts';

const { signal } = new AbortController();
const socket = (target: string, address = '0.0.0.0', uid = 0): Listener => {
  const [protocol, port] = target.split('/');
  return { protocol: protocol === 'udp' ? 'udp' : 'tcp', address, port: Number(port), uid };
};

const examined = async (sockets: readonly Listener[], policy: object = {}) => {
  const host = fakeHost({
    listeners: async () => ({ ownPort: 9600, listeners: sockets }),
    containers: async () => [
      container({ name: 'edgeHub', publishedPorts: [{ protocol: 'tcp', port: 443 }] }),
      container({ name: 'plc', publishedPorts: [{ protocol: 'tcp', port: 4840 }] }),
    ],
  });
  const params = listeningPorts.params.parse(policy);
  const subjects = await listeningPorts.subjects(params, host, signal);
  return Promise.all(
    subjects.map(async (subject) => ({
      target: subject.target,
      ...(await listeningPorts.examine(subject, params, host, signal)),
    })),
  );
};
const verdicts = async (...given: Parameters<typeof examined>) =>
  (await examined(...given)).map(({ target, status }) => `${target} ${status}`);

test('a port that the policy does not name warns, with the command that names its program', async () => {
  expect(await examined([socket('tcp/8080', '0.0.0.0', 1000), socket('tcp/8080', '::', 1000)])).toEqual([
    {
      target: 'tcp/8080',
      status: 'warn',
      reason: 'not_allowed',
      message: 'tcp/8080 listens on all addresses (0.0.0.0 and ::), opened by user id 1000',
      remedy: expect.stringContaining("`sudo ss -lntup 'sport = :8080'`"),
    },
  ]);
});

test('the severity is that of the policy', async () => {
  expect(await verdicts([socket('tcp/23')], { severity: 'fail' })).toEqual(['tcp/23 fail']);
});

test.each(['127.0.0.1', '127.0.0.53', '::1'])('a port on %s is open to nobody else', async (address) => {
  expect(await verdicts([socket('tcp/5432', address)])).toEqual(['ports pass']);
});

test('what IoT Edge and sshd need is allowed by default, and so is the agent itself', async () => {
  const ports = ['tcp/22', 'tcp/443', 'tcp/5671', 'tcp/8883', 'tcp/9600'];
  expect(await verdicts(ports.map((port) => socket(port)))).toEqual(ports.map((port) => `${port} pass`));
});

test('the same port of the other protocol is another one', async () => {
  expect(await verdicts([socket('udp/443'), socket('udp/9600')])).toEqual(['udp/443 warn', 'udp/9600 warn']);
});

test.each<[string, string, string]>([
  ['udp/100-200', 'udp/100', 'pass'],
  ['udp/100-200', 'udp/200', 'pass'],
  ['udp/100-200', 'udp/99', 'warn'],
  ['udp/100-200', 'udp/201', 'warn'],
  ['udp/100-200', 'tcp/150', 'warn'],
])('%s: %s is %s', async (allowed, port, status) => {
  expect(await verdicts([socket(port)], { allowed: [allowed] })).toEqual([`${port} ${status}`]);
});

test('of a thousand ports those that are not allowed come first, and the others are counted', async () => {
  const sockets = Array.from({ length: 1000 }, (_, i) => socket(`tcp/${i + 1}`));
  const found = await examined(sockets, { allowed: ['tcp/1-990'] });
  expect(found).toHaveLength(101);
  expect(found.slice(0, 10).map(({ target }) => target)).toEqual(
    Array.from({ length: 10 }, (_, i) => `tcp/${991 + i}`),
  );
  expect(found.at(-1)).toMatchObject({
    target: 'ports',
    status: 'pass',
    message: '900 more ports listen, all of them allowed',
  });
  expect((await examined(sockets, { allowed: [] })).at(-1)).toMatchObject({
    target: 'ports',
    status: 'warn',
  });
});

describe('a rule is refused', () => {
  test.each(['22', 'tcp/0', 'tcp/65536', 'tcp/20-10', 'sctp/1', 'tcp/22-', 'TCP/22', ''])('%j', (text) => {
    expect(listeningPorts.params.safeParse({ allowed: [text] }).success).toBe(false);
  });
});

test('a port that a module publishes is told with the module, and closed in its createOptions', async () => {
  expect(await examined([socket('tcp/4840')])).toMatchObject([
    {
      message: 'tcp/4840 listens on all IPv4 addresses (0.0.0.0), published by the container plc',
      remedy: expect.stringContaining('"PortBindings" in "HostConfig" of the createOptions of plc'),
    },
  ]);
  const [https] = await examined([socket('tcp/443')]);
  expect(https?.message).toContain('edgeHub, which answers /metrics there too');
});

import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { CannotTell } from '../../../src/check.ts';
import { dnsResolution } from '../../../src/checks/network/dns-resolution.ts';
import type { LookUp } from '../../../src/host/network/types.ts';
import { fakeHost } from '../../support/fixtures/fake-host.ts';

const never = new AbortController().signal;
const { examine, params, subjects } = dnsResolution;
const hub = 'hub.azure-devices.net';
const other = '10.0.0.53';

/** A server's replies to successive lookups: addresses, seconds to answer in, or a reason to fail. The last one repeats. */
type Replies = readonly (readonly string[] | number | string)[];

function hostWith(replies: Record<string, Replies>) {
  const asked: string[] = [];
  const lookUp = async (name: string, server: string | undefined) => {
    const who = server ?? 'own';
    const turn = asked.filter((each) => each === who).length;
    asked.push(who);
    const answers = replies[who] ?? [];
    const reply = answers[Math.min(turn, answers.length - 1)];
    if (typeof reply === 'string') throw new CannotTell(reply, `${name} does not resolve by ${who}`);
    if (typeof reply === 'number') return { addresses: ['192.0.2.1'], seconds: reply };
    return { addresses: reply ?? [], seconds: 0.004 };
  };
  return { host: fakeHost({ lookUp }), asked };
}

const examineHub = (replies: Record<string, Replies>, name = hub) => {
  const servers = Object.keys(replies).filter((each) => each !== 'own');
  return examine({ target: name }, params.parse({ servers }), hostWith(replies).host, never);
};

test('a name that resolves passes, with its addresses and the time of the slowest lookup', async () => {
  const { host, asked } = hostWith({ own: [0.2, 0.003, 0.004] });
  expect(await examine({ target: hub }, params.parse({}), host, never)).toEqual({
    status: 'pass',
    message: 'Resolves to 192.0.2.1 in 0.200 s',
    readings: [{ gauge: 'dns_lookup_seconds', value: 0.2 }],
  });
  expect(asked).toHaveLength(3);
});

describe('an answer to this device', () => {
  test.each<[string, Replies, string, string, RegExp]>([
    ['no such name', ['not_found'], 'fail', 'not_found', /by own, in 3 of 3 lookups$/],
    ['a refusal', ['refused'], 'fail', 'refused', /by own, in 3 of 3 lookups$/],
    ['a server failure', ['server_failed'], 'fail', 'server_failed', /by own, in 3 of 3 lookups$/],
    ['silence, which is not repeated', ['timed_out'], 'fail', 'timed_out', /by own$/],
    [
      'an answer only sometimes',
      ['server_failed', ['192.0.2.1'], ['192.0.2.1']],
      'warn',
      'intermittent',
      /^This device's resolver returned an address in 2 of 3 lookups; otherwise: .*by own$/,
    ],
    [
      'a slow answer',
      [1.25],
      'warn',
      'slow',
      /^This device's resolver took 1\.25 s to look up .*, more than 1 s$/,
    ],
    [
      'a private address',
      [['10.1.0.4']],
      'warn',
      'private_answer',
      /resolves to the private address 10\.1\.0\.4$/,
    ],
    ['a sinkhole', [['0.0.0.0']], 'fail', 'private_answer', /resolves to 0\.0\.0\.0, which leads nowhere/],
    ['a sinkhole beside an address', [['192.0.2.1', '::']], 'fail', 'private_answer', /leads nowhere/],
  ])('%s', async (_, own, status, reason, message) => {
    const verdict = await examineHub({ own });
    expect(verdict).toMatchObject({
      status,
      reason,
      message: expect.stringMatching(message),
      remedy: expect.stringMatching(/`.+`/),
    });
  });

  test('has no lookup time when there is no answer', async () => {
    expect((await examineHub({ own: ['not_found'] })).readings).toEqual([]);
  });
});

describe('the remedy', () => {
  test.each<[string, Record<string, Replies>, RegExp]>([
    [
      'for a sinkhole is not Private Link',
      { own: [['127.0.0.1']] },
      /^Run `grep -iF hub\.azure-devices\.net \/etc\/hosts`/,
    ],
    ['for a private address is Private Link', { own: [['10.1.0.4']] }, /^If .* Private Link/],
    [
      'that changes "dns" restarts docker',
      { own: ['refused'] },
      /set "dns" in .*daemon\.json .*`sudo systemctl restart docker`/,
    ],
  ])('%s', async (_, replies, remedy) => {
    expect(await examineHub(replies)).toMatchObject({ remedy: expect.stringMatching(remedy) });
  });

  test.each<[string, Replies]>([
    ['refused', ['refused']],
    ['timed_out', ['timed_out']],
    ['server_failed', ['server_failed']],
    ['slow', [1.5]],
    ['intermittent', ['refused', ['192.0.2.1']]],
  ])('for another server that is %s is about that server alone', async (reason, replies) => {
    const verdict = await examineHub({ own: [['192.0.2.1']], [other]: replies });
    expect(verdict).toMatchObject({
      reason,
      remedy: expect.stringMatching(/10\.0\.0\.53.* or remove 10\.0\.0\.53 from "servers" of dnsResolution/),
    });
    expect(verdict).toMatchObject({ remedy: expect.not.stringContaining('docker') });
  });
});

describe('a lookup that takes long', () => {
  /** A host whose lookups take 2 s of the fake clock and end like this. */
  const slowHost = (outcome: () => LookUp) => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    let lookups = 0;
    const lookUp = async () => {
      lookups += 1;
      vi.advanceTimersByTime(2000);
      return outcome();
    };
    return { host: fakeHost({ lookUp }), lookups: () => lookups };
  };

  test('before it fails is not repeated', async () => {
    const { host, lookups } = slowHost(() => {
      throw new CannotTell('server_failed', 'The server failed');
    });
    const verdict = await examine({ target: hub }, params.parse({}), host, never);
    expect(verdict).toMatchObject({ reason: 'server_failed', message: 'The server failed' });
    expect(lookups()).toBe(1);
  });

  test('because one address family is silent is not repeated, and passes', async () => {
    const { host, lookups } = slowHost(() => ({ addresses: ['192.0.2.1'], seconds: 0.004 }));
    const verdict = await examine({ target: hub }, params.parse({}), host, never);
    expect(verdict).toMatchObject({ status: 'pass', message: 'Resolves to 192.0.2.1 in 0.004 s' });
    expect(lookups()).toBe(1);
  });
});

test.each([
  ['hub.azure-devices.net', 'warn'],
  ['HUB.azure-devices.cn.', 'warn'],
  ['global.azure-devices-provisioning.net', 'warn'],
  ['mcr.microsoft.com', 'warn'],
  ['acme.azurecr.io', 'warn'],
  // A parent gateway or a plant's own registry may be private.
  ['parent.plant.example', 'pass'],
  ['notazure-devices.net', 'pass'],
])('a private address for %s is a %s', async (name, status) => {
  expect((await examineHub({ own: [['10.1.0.4']] }, name)).status).toBe(status);
});

describe('another server', () => {
  const right: Replies = [['192.0.2.1']];

  test.each<[string, Replies, Replies]>([
    ['has other addresses, as content networks give', right, [['198.51.100.9']]],
    ['has one more address', right, [['192.0.2.1', '2001:db8::1']]],
  ])('that %s agrees', async (_, own, others) => {
    expect((await examineHub({ own, [other]: others })).status).toBe('pass');
  });

  test.each<[string, Replies, Replies, string, RegExp]>([
    [
      'denies the name',
      right,
      ['not_found'],
      'warn',
      /answers 192\.0\.2\.1 for .*, but 10\.0\.0\.53 says that the name does not exist$/,
    ],
    [
      'alone knows the name',
      ['not_found'],
      right,
      'fail',
      /by own, in 3 of 3 lookups; 10\.0\.0\.53 resolves it to 192\.0\.2\.1$/,
    ],
    ['gives a private address', right, [['10.1.0.4']], 'warn', /but 10\.0\.0\.53 answers 10\.1\.0\.4$/],
    ['gives a sinkhole', right, [['127.0.0.1']], 'warn', /but 10\.0\.0\.53 answers 127\.0\.0\.1$/],
  ])('that %s is answers_differ', async (_, own, others, status, message) => {
    expect(await examineHub({ own, [other]: others })).toMatchObject({
      status,
      reason: 'answers_differ',
      message: expect.stringMatching(message),
    });
  });

  test.each(['refused', 'server_failed', 'timed_out'])(
    'that has %s is a warning, because this device does not depend on it',
    async (reason) => {
      expect(await examineHub({ own: right, [other]: [reason] })).toMatchObject({ status: 'warn', reason });
    },
  );

  test('that is slow, or fails sometimes, is named', async () => {
    expect((await examineHub({ own: right, [other]: [1.5] })).message).toContain('10.0.0.53 took 1.50 s');
    const flaky: Replies = ['refused', ['192.0.2.1']];
    expect((await examineHub({ own: right, [other]: flaky })).message).toMatch(
      /^10\.0\.0\.53 returned an address in 2/,
    );
  });

  test('does not hide what is wrong with this device', async () => {
    expect(await examineHub({ own: ['refused'], [other]: right })).toMatchObject({
      status: 'fail',
      reason: 'refused',
    });
  });
});

test('a stopped check rejects with the reason for stopping', async () => {
  const stopping = new AbortController();
  const reason = new Error('stopping');
  const lookUp = (_: string, __: string | undefined, signal: AbortSignal) =>
    new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      stopping.abort(reason);
    });
  const resolving = examine({ target: hub }, params.parse({}), fakeHost({ lookUp }), stopping.signal);
  await expect(resolving).rejects.toBe(reason);
});

test('a placeholder that stands for an address needs no lookup', async () => {
  const names = { gateway: '10.0.0.4' };
  const host = fakeHost({ names });
  const [subject = { target: '' }] = await subjects(params.parse({ names: ['{gateway}'] }), host, never);
  await expect(examine(subject, params.parse({}), host, never)).rejects.toMatchObject({
    reason: 'not_applicable',
  });
});

test('an unknown placeholder is not applicable', async () => {
  const [subject = { target: '' }] = await subjects(params.parse({}), fakeHost({}), never);
  await expect(examine(subject, params.parse({}), fakeHost({}), never)).rejects.toMatchObject({
    reason: 'not_applicable',
    message: expect.stringContaining('{iothub} is unknown here'),
  });
});

describe('a policy', () => {
  test.each([
    { servers: ['10.0.0.53'] },
    { servers: ['10.0.0.53:5353'] },
    { servers: ['2001:db8::53'] },
    { servers: ['[2001:db8::53]:5353'] },
    { names: ['{iothub}', '{dps}', '{registries}', 'time.windows.com'] },
  ])('with %j is accepted', (given) => {
    expect(params.safeParse(given).success).toBe(true);
  });

  test.each([
    { servers: ['dns.test'] },
    { servers: ['10.0.0.53:0'] },
    { servers: ['10.0.0.53:65536'] },
    { servers: ['[10.0.0.53]:x'] },
    { names: ['https://hub.test'] },
    { names: ['hub.test:443'] },
    { names: ['192.0.2.1'] },
    { names: ['{hub}'] },
    { names: [''] },
    { warnSeconds: 0 },
  ])('with %j is rejected', (given) => {
    expect(params.safeParse(given).success).toBe(false);
  });
});

import { describe, expect, test } from 'vitest';
import { hubConnection } from '../../../src/checks/agent/hub-connection.ts';
import type { HubLink, HubProblem, HubTrouble } from '../../../src/host/agent/types.ts';
import { fakeHost } from '../../support/fixtures/fake-host.ts';

const { signal } = new AbortController();

const examine = (link: HubLink | undefined, policy: object = {}) =>
  hubConnection.examine(
    { target: 'line-4' },
    hubConnection.params.parse(policy),
    fakeHost({ hubLink: () => link }),
    signal,
  );
const away = (minutes: number, problem?: HubProblem): HubLink => ({
  connected: false,
  seconds: minutes * 60,
  ...(problem ? { problem } : {}),
});
const expired: HubProblem = {
  reason: 'certificate_rejected',
  message: 'The certificate of edgeHub has expired',
};

test('a connection passes and names the gateway', async () => {
  expect(await examine({ connected: true, seconds: 3 })).toEqual({
    status: 'pass',
    message: 'Connected to edgeHub on line-4',
  });
});

test.each([
  [0, 'pass'],
  [4.99, 'pass'],
  [5, 'warn'],
  [59.9, 'warn'],
  [60, 'fail'],
  [10_000, 'fail'],
])('%d minutes without a connection are a %s', async (minutes, status) => {
  expect(await examine(away(minutes))).toMatchObject({ status });
});

test('the limits are those of the policy', async () => {
  const policy = { warnMinutes: 0, failMinutes: 1 };
  expect(await examine(away(0), policy)).toMatchObject({ status: 'warn' });
  expect(await examine(away(1), policy)).toMatchObject({ status: 'fail' });
});

test('a warning has the time, the cause and the next step', async () => {
  expect(await examine(away(12, expired))).toEqual({
    status: 'warn',
    reason: 'certificate_rejected',
    message: 'No connection to edgeHub on line-4 for 12 min: The certificate of edgeHub has expired',
    remedy: expect.stringContaining('sudo iotedge restart edgeHub'),
  });
});

test('a short interruption passes, but is not called a connection', async () => {
  expect(await examine(away(1.5, expired))).toEqual({
    status: 'pass',
    message: 'No connection to edgeHub on line-4 for 90 s: The certificate of edgeHub has expired',
  });
});

test.each([
  ['offline', 'sudo iotedge logs edgeHub'],
  ['not_authorized', 'sudo iotedge restart hardening'],
  ['certificate_rejected', 'sudo iotedge restart edgeHub'],
  ['workload_api_failed', 'sudo iotedge system'],
] as const)('the remedy for %s is its own', async (reason, command) => {
  expect(await examine(away(70, { reason, message: 'why' }))).toMatchObject({
    reason,
    remedy: expect.stringContaining(command),
  });
});

test.each([
  ['certificate_rejected', 'wrong_name', 'hostname'],
  ['certificate_rejected', 'wrong_time', 'timedatectl'],
  ['offline', 'unavailable', 'MaxConnectedClients'],
  ['offline', 'no_twin', 'sudo iotedge check'],
  ['offline', 'no_messages', 'df -h'],
] as const)('the remedy for %s is more specific with %s', async (reason, detail, text) => {
  expect(await examine(away(70, { reason, detail, message: 'why' }))).toMatchObject({
    reason,
    remedy: expect.stringContaining(text),
  });
});

test('a certificate that is rejected for another reason says nothing of the clock', async () => {
  expect(await examine(away(70, { reason: 'certificate_rejected', message: 'why' }))).toMatchObject({
    remedy: expect.not.stringMatching(/clock|hostname/),
  });
});

test.each([true, false])(
  'a connection that another instance keeps taking over is a warning at once, connected: %s',
  async (connected) => {
    const takeover = 'Another instance of this module is probably connected';
    expect(await examine({ connected, seconds: 1, takeover })).toMatchObject({
      status: 'warn',
      reason: 'offline',
      message: takeover,
      remedy: expect.stringContaining('the same device and module id'),
    });
  },
);

test('a takeover hides no other known cause', async () => {
  const trouble = { use: 'twin', seconds: 1, message: 'edgeHub has no copy of the module twin' } as const;
  expect(
    await examine({ connected: true, seconds: 1, takeover: 'Another instance', troubles: [trouble] }),
  ).toMatchObject({ message: 'Another instance; edgeHub has no copy of the module twin' });
});

test('without a connection for long, a takeover is no longer only a warning', async () => {
  expect(await examine({ ...away(60), takeover: 'Another instance' })).toMatchObject({ status: 'fail' });
});

describe('a connection that works, though reports do not get through,', () => {
  const rejected = (minutes: number, use: HubTrouble['use'] = 'reports'): HubTrouble => ({
    use,
    seconds: minutes * 60,
    message: 'edgeHub rejected the reported properties with status 400',
  });
  const used = (...troubles: readonly HubTrouble[]): HubLink => ({
    connected: true,
    seconds: 7200,
    troubles,
  });

  test.each([
    [0, 'pass'],
    [4.99, 'pass'],
    [5, 'warn'],
    [60, 'fail'],
  ])('for %d minutes is a %s', async (minutes, status) => {
    expect(await examine(used(rejected(minutes)))).toMatchObject({ status });
  });

  test('has the time, the cause and the next step', async () => {
    expect(await examine(used(rejected(12)))).toEqual({
      status: 'warn',
      reason: 'offline',
      message:
        'Connected to edgeHub on line-4, but not fully working for 12 min: edgeHub rejected the reported properties with status 400',
      remedy: expect.stringContaining('sudo iotedge logs edgeHub'),
    });
  });

  test.each([
    ['twin', 'sudo iotedge check'],
    ['reports', 'sudo iotedge logs edgeHub'],
    ['messages', 'df -h'],
  ] as const)('has the remedy for %s', async (use, command) => {
    expect(await examine(used(rejected(12, use)))).toMatchObject({
      remedy: expect.stringContaining(command),
    });
  });

  test.each([
    ['throttled', true],
    [undefined, false],
  ] as const)('advises fewer updates only when IoT Hub throttles: %s', async (detail, advised) => {
    const advice = expect.stringContaining('minIntervalSeconds');
    const verdict = await examine(used({ ...rejected(12), detail }));
    if (advised) expect(verdict).toMatchObject({ remedy: advice });
    else expect(verdict).not.toMatchObject({ remedy: advice });
  });

  test('names every cause, and is judged by the longest', async () => {
    const second = { ...rejected(1, 'messages'), message: 'A message got no answer' };
    expect(await examine(used(rejected(61), second))).toMatchObject({
      status: 'fail',
      message: expect.stringMatching(/status 400; A message got no answer$/),
      remedy: expect.stringMatching(/iotedge logs edgeHub.*df -h/),
    });
  });

  test('is no better when the connection is replaced again and again', async () => {
    const problem = { reason: 'offline', message: 'edgeHub does not answer' } as const;
    expect(await examine({ connected: false, seconds: 10, problem, troubles: [rejected(12)] })).toMatchObject(
      {
        status: 'warn',
        reason: 'offline',
        message:
          'No connection to edgeHub on line-4 for 10 s, and not fully working for 12 min: edgeHub does not answer',
      },
    );
  });
});

test('before an attempt has failed the reason is offline', async () => {
  expect(await examine(away(6))).toMatchObject({ reason: 'offline' });
});

test('without a hub it does not apply', async () => {
  await expect(examine(undefined)).rejects.toMatchObject({ reason: 'not_applicable' });
});

test('a policy that would never warn is refused', () => {
  const { error } = hubConnection.params.safeParse({ warnMinutes: 61 });
  expect(error?.issues).toMatchObject([{ path: ['warnMinutes'] }]);
});

describe('the subject', () => {
  test.each([
    [{ gateway: 'line-4' }, 'line-4'],
    [{}, 'edgeHub'],
  ])('with the names %j is %s', async (names, target) => {
    const host = fakeHost({ names });
    expect(await hubConnection.subjects(hubConnection.params.parse({}), host, signal)).toEqual([{ target }]);
  });
});

test('it runs as soon as the connection is made or lost', () => {
  const ran: string[] = [];
  const host = fakeHost({ watchHub: (onChange) => onChange('The connection to edgeHub was lost') });
  hubConnection.trigger?.(host, (why) => ran.push(why), signal);
  expect(ran).toEqual(['The connection to edgeHub was lost']);
});

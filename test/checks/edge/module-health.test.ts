import { describe, expect, test } from 'vitest';
import { alarmsIn, createDevice } from './simulated-device.ts';

const names = [
  'edgeAgent',
  'edgeHub',
  'hardening',
  'opc',
  'press',
  'camera',
  'store',
  'rules',
  'web',
  'backup',
];

type Device = ReturnType<typeof createDevice>;

/** Runs of the check, five minutes apart; the last told these. */
async function looks(device: Device, count: number, policy: object = {}, seconds = 300) {
  for (let i = 0; i < count; i += 1) {
    await device.look(policy);
    device.pass(seconds);
  }
  return alarmsIn(await device.look(policy));
}

const findingOf = async (device: Device, name: string, policy: object = {}) =>
  (await device.look(policy)).find(({ target }) => target === name);

/** A device that has been looked at. */
async function known(some: readonly string[] = names): Promise<Device> {
  const device = createDevice(some);
  device.pass(86_400);
  await device.look();
  device.pass(60);
  return device;
}

describe('restarts', () => {
  test.each([
    [2, []],
    [3, ['opc warn restart_loop']],
    [9, ['opc warn restart_loop']],
    [10, ['opc fail restart_loop']],
  ])('%d within the window: %j', async (count, alarms) => {
    const device = await known();
    for (let i = 0; i < count; i += 1) {
      device.restart('opc');
      await device.look();
      device.pass(60);
    }
    expect(alarmsIn(await device.look())).toEqual(alarms);
  });

  test('are forgotten once they are out of the window', async () => {
    const device = await known();
    for (let i = 0; i < 3; i += 1) {
      device.restart('opc');
      await device.look();
      device.pass(60);
    }
    expect(alarmsIn(await device.look())).toHaveLength(1);
    device.pass(3600);
    expect(alarmsIn(await device.look())).toEqual([]);
  });

  test('of a crash are told with their number, the window and the last exit code that was seen', async () => {
    const device = await known();
    device.behave('opc', { runSeconds: 10, code: 139 });
    await looks(device, 8);
    expect(await findingOf(device, 'opc')).toMatchObject({
      status: 'warn',
      reason: 'restart_loop',
      message:
        'opc restarted at least 8 times within 60 min, last seen after exit code 139 (it crashed: segmentation fault); edgeAgent gives up after 20 tries without 10 min of running',
      remedy: 'Read its log: `sudo iotedge logs opc --tail 100`',
      readings: [
        { gauge: 'module_running', value: 0 },
        { gauge: 'module_restarts_in_window', value: 8 },
      ],
    });
  });

  test.each([1, 7, 20, 90])(
    'of a module that ends without an error after %d s are told as what they are',
    async (runSeconds) => {
      const device = await known();
      device.behave('opc', { runSeconds, code: 0 });
      await looks(device, 5);
      const finding = await findingOf(device, 'opc');
      expect(finding).toMatchObject({ status: 'warn', reason: 'restart_loop' });
      expect(finding?.message).toMatch(
        /^opc restarted at least [45] times within 60 min, each time at once after it had ended without an error: edgeAgent starts it every 5 s, for ever, and does not count that$/,
      );
      expect(finding?.remedy).toContain('set its "restartPolicy" to "never"');
    },
  );

  test('of a module that ends without an error under "always" are no invisible loop', async () => {
    const device = await known();
    device.behave('opc', { runSeconds: 10, code: 0, policy: 'always' });
    for (const container of ['opc']) device.crash(container, 0);
    await looks(device, 6);
    expect((await findingOf(device, 'opc'))?.message).not.toContain('for ever');
  });

  test('of a module that runs for longer than ten minutes each time are found too', async () => {
    const device = await known();
    device.behave('opc', { runSeconds: 660, code: 1 });
    expect(await looks(device, 9)).toEqual(['opc warn restart_loop']);
  });

  test("of edgeAgent name createOptions, its own loop's usual cause", async () => {
    const device = await known();
    device.behave('edgeAgent', { runSeconds: 5, code: 1 });
    expect(await looks(device, 4)).toEqual(['edgeAgent warn restart_loop']);
    const finding = await findingOf(device, 'edgeAgent');
    expect(finding?.remedy).toContain('createOptions');
    expect(finding?.message).not.toContain('20 tries');
  });

  test('of edgeAgent without an error are those of aziot-edged', async () => {
    const device = await known();
    device.behave('edgeAgent', { runSeconds: 5, code: 0 });
    await looks(device, 4);
    expect((await findingOf(device, 'edgeAgent'))?.message).not.toContain('for ever');
  });

  test('by an update are none, and the history ends there', async () => {
    const device = await known();
    for (let i = 0; i < 2; i += 1) {
      device.restart('opc');
      await device.look();
      device.pass(60);
    }
    for (let i = 0; i < 4; i += 1) {
      device.update('opc');
      await device.look();
      device.pass(60);
    }
    device.restart('opc');
    await device.look();
    device.pass(60);
    expect(await findingOf(device, 'opc')).toMatchObject({
      status: 'pass',
      message: 'opc is running; it restarted at least once within the window',
    });
  });
});

describe('modules that restart together', () => {
  test('are renewed: that counts for none of them', async () => {
    const device = await known();
    for (let i = 0; i < 4; i += 1) {
      device.renew();
      if (i === 2) device.update('opc');
      await device.look();
      device.pass(60);
    }
    for (const { readings } of await device.look())
      expect(readings).toContainEqual({ gauge: 'module_restarts_in_window', value: 0 });
  });

  test('are recognized where a look falls into the middle of it', async () => {
    const device = await known();
    const policy = { restartsWarn: 1 };
    for (const name of names.slice(0, 4)) device.restart(name);
    device.pass(55);
    for (const name of names.slice(4)) device.restart(name);
    expect(alarmsIn(await device.look(policy))).toEqual([]);
  });

  test('are no renewal where they are fewer than half', async () => {
    const device = await known();
    for (const name of ['opc', 'press', 'camera', 'store']) device.restart(name);
    expect(alarmsIn(await device.look({ restartsWarn: 1 }))).toHaveLength(4);
  });

  test('again and again are a loop: two modules of four crash together', async () => {
    const device = await known(names.slice(0, 4));
    for (const name of ['hardening', 'opc']) device.behave(name, { runSeconds: 20, code: 0 });
    expect(await looks(device, 3)).toEqual(['hardening warn restart_loop', 'opc warn restart_loop']);
  });

  test('one of two modules is no renewal', async () => {
    const device = await known(['edgeAgent', 'edgeHub']);
    device.restart('edgeHub');
    expect(alarmsIn(await device.look({ restartsWarn: 1 }))).toEqual(['edgeHub warn restart_loop']);
  });
});

describe('a module that does not run', () => {
  test('gave up is what edgeAgent did after twenty tries', async () => {
    const device = await known();
    device.behave('opc', { runSeconds: 3, code: 127 });
    device.crash('opc', 127);
    expect(await looks(device, 15)).toEqual(['opc fail restart_loop']);
    expect(await looks(device, 4)).toEqual(['opc fail gave_up']);
    device.pass(86_400);
    expect(await findingOf(device, 'opc')).toMatchObject({
      reason: 'gave_up',
      message: expect.stringMatching(
        /^opc crashed again and again, last with exit code 127 \(it could not start: its command was not found\), and has not been started for 24 h: edgeAgent gave up, as it does after 20 tries$/,
      ),
    });
  });

  test('failed where it is not started again after the longest back-off', async () => {
    const device = await known();
    device.stop('opc', 1);
    device.pass(60);
    expect(await findingOf(device, 'opc')).toMatchObject({
      status: 'pass',
      message: 'opc failed 60 s ago, with exit code 1',
    });
    expect(await looks(device, 1)).toEqual([]);
    device.pass(60);
    expect(await findingOf(device, 'opc')).toMatchObject({
      status: 'fail',
      reason: 'failed',
      message: 'opc failed with exit code 1 and has not been started again for 7 min',
    });
  });

  test('and was started again has not given up, whatever happens next', async () => {
    const device = await known();
    device.behave('opc', { runSeconds: 3, code: 1 });
    expect(await looks(device, 22)).toEqual(['opc fail gave_up']);
    device.behave('opc', {});
    device.restart('opc');
    device.pass(7200);
    expect(alarmsIn(await device.look())).toEqual([]);
    device.stop('opc', 1);
    expect(await looks(device, 3)).toEqual(['opc fail failed']);
  });

  test('was stopped on purpose after some crashes has not been given up', async () => {
    const device = await known();
    device.behave('opc', { runSeconds: 120, code: 1 });
    await looks(device, 8);
    device.stop('opc', 137);
    await looks(device, 3);
    const finding = await findingOf(device, 'opc');
    expect([finding?.reason, finding?.also?.map(({ reason }) => reason)]).toEqual([
      'restart_loop',
      ['stopped'],
    ]);
  });

  test('after few restarts has failed, and has not been given up', async () => {
    const device = await known();
    for (let i = 0; i < 4; i += 1) {
      device.restart('opc');
      await device.look();
      device.pass(60);
    }
    device.stop('opc', 1);
    await looks(device, 3);
    const finding = await findingOf(device, 'opc');
    expect([finding?.reason, finding?.also?.map(({ reason }) => reason)]).toEqual([
      'restart_loop',
      ['failed'],
    ]);
  });

  test('is expected and was killed has its back-off first', async () => {
    const device = await known();
    device.stop('opc', 137);
    await device.look();
    device.pass(200);
    const policy = { expected: ['opc'] };
    expect(alarmsIn(await device.look(policy))).toEqual([]);
    device.pass(100);
    expect(alarmsIn(await device.look(policy))).toEqual(['opc fail stopped']);
  });

  test('is not old news soon after the machine was started', async () => {
    const device = createDevice(names);
    device.pass(600);
    device.stop('opc', 1);
    device.reboot(86_400);
    device.pass(100);
    expect(alarmsIn(await device.look())).toEqual([]);
  });

  test('has failed at the first look already where that was long ago', async () => {
    const device = createDevice(names);
    device.pass(600);
    device.stop('opc', 139);
    device.pass(600);
    expect(alarmsIn(await device.look())).toEqual(['opc fail failed']);
  });

  test.each([0, 143, 137])(
    'with exit code %d is stopped after five minutes, if it was seen running',
    async (code) => {
      const device = await known();
      device.stop('opc', code);
      device.pass(60);
      expect(alarmsIn(await device.look())).toEqual([]);
      device.pass(240);
      expect(alarmsIn(await device.look())).toEqual(['opc warn stopped']);
      expect((await findingOf(device, 'opc'))?.message).toMatch(
        new RegExp(`^opc has been stopped for 5 min, with exit code ${code}\\b`),
      );
    },
  );

  test('is not stopped where it was never seen running', async () => {
    const device = createDevice(names);
    device.stop('opc', 0);
    device.pass(3600);
    expect(await looks(device, 3)).toEqual([]);
    expect(alarmsIn(await device.look({ expected: ['opc'] }))).toEqual(['opc fail stopped']);
  });

  test('is dead at once', async () => {
    const device = await known();
    device.kill('opc');
    expect(alarmsIn(await device.look())).toEqual(['opc fail dead']);
    expect((await findingOf(device, 'opc'))?.remedy).toContain('`sudo docker rm --force opc`');
  });

  test('has what is less important as well, for a policy that excepts the first', async () => {
    const device = await known();
    for (let i = 0; i < 3; i += 1) {
      device.restart('opc');
      await device.look();
      device.pass(60);
    }
    device.stop('opc', 0);
    device.pass(60);
    await device.look();
    device.pass(300);
    expect(await findingOf(device, 'opc')).toMatchObject({
      reason: 'restart_loop',
      also: [{ reason: 'stopped' }],
    });
  });
});

describe('a module that leaves the list', () => {
  test('is missing after two listings, if it is expected', async () => {
    const device = await known();
    const policy = { expected: ['opc'] };
    await device.look(policy);
    device.remove('opc');
    device.pass(60);
    expect(alarmsIn(await device.look(policy))).toEqual([]);
    // The same listing.
    expect(alarmsIn(await device.look(policy))).toEqual([]);
    device.pass(60);
    const [finding] = (await device.look(policy)).filter(({ status }) => status !== 'pass');
    expect(finding).toMatchObject({
      target: 'opc',
      status: 'fail',
      reason: 'missing',
      readings: [{ gauge: 'module_running', value: 0 }, { gauge: 'module_restarts_in_window' }],
    });
  });

  test('is not told about otherwise', async () => {
    const device = await known();
    device.remove('opc');
    await looks(device, 3);
    expect((await device.look()).map(({ target }) => target)).toEqual(names.filter((name) => name !== 'opc'));
  });

  test('for one listing keeps its finding', async () => {
    const device = await known();
    device.kill('opc');
    await device.look();
    device.leaveOut('opc');
    device.pass(60);
    expect(alarmsIn(await device.look())).toEqual(['opc fail dead']);
  });

  test('for one listing is not said to be down meanwhile', async () => {
    const device = await known();
    device.crash('opc', 137);
    await device.look();
    device.leaveOut('opc');
    device.pass(600);
    expect(alarmsIn(await device.look())).toEqual([]);
  });

  test('or never was in it cannot be judged by the first look', async () => {
    const device = createDevice(names);
    device.pass(60);
    const policy = { expected: ['opq'] };
    expect(await findingOf(device, 'opq', policy)).toMatchObject({ status: 'unknown', reason: 'not_found' });
    device.pass(60);
    expect(alarmsIn(await device.look(policy))).toEqual(['opq fail missing']);
  });
});

describe('restarts of the runtime by its metrics', () => {
  const restartsOf = async (device: Device, name: string) =>
    (await findingOf(device, name))?.readings?.find(({ gauge }) => gauge === 'module_restarts_in_window')
      ?.value;

  async function looked(device: Device, count: number) {
    for (let i = 0; i < count; i += 1) {
      await device.look();
      device.pass(60);
    }
  }

  test('count where the start of the container did not change', async () => {
    const device = await known();
    await looked(device, 2);
    device.newInstance('edgeHub');
    await looked(device, 3);
    expect(await restartsOf(device, 'edgeHub')).toBe(1);
  });

  test('count once where it did, however late the list tells', async () => {
    const device = await known();
    await looked(device, 2);
    // The list is older than the page.
    await device.look();
    device.pass(30);
    device.restart('edgeHub');
    await device.look();
    device.pass(30);
    await looked(device, 4);
    expect(await restartsOf(device, 'edgeHub')).toBe(1);
  });

  test('count once where the page is ahead of the list', async () => {
    const device = await known();
    await looked(device, 2);
    device.newInstance('edgeHub');
    await device.look();
    device.pass(60);
    device.restart('edgeHub');
    await looked(device, 4);
    expect(await restartsOf(device, 'edgeHub')).toBe(1);
  });

  test('do not matter where the pages cannot be read', async () => {
    const device = await known();
    await looked(device, 2);
    device.failPages(true);
    device.newInstance('edgeHub');
    await looked(device, 3);
    expect(await restartsOf(device, 'edgeHub')).toBe(0);
    expect((await device.look()).map(({ status }) => status)).toEqual(names.map(() => 'pass'));
  });
});

test('a restarted agent knows what it has seen', async () => {
  const device = await known();
  for (let i = 0; i < 3; i += 1) {
    device.restart('opc');
    device.restartAgent();
    await device.look();
    device.pass(60);
  }
  expect(alarmsIn(await device.look())).toEqual(['opc warn restart_loop']);
});

test.each([100, 400])(
  'a reboot is no restart, also when it was %d s before the next look',
  async (seconds) => {
    const device = await known();
    // So that the uptime is larger than at the look before.
    device.reboot(60);
    device.pass(seconds - 70);
    await device.look();
    device.reboot(60);
    device.pass(seconds);
    await device.look();
    device.pass(600);
    for (const { readings } of await device.look())
      expect(readings).toContainEqual({ gauge: 'module_restarts_in_window', value: 0 });
  },
);

test('no step of the clock makes a restart or a stop', async () => {
  const device = await known();
  for (const step of [86_400, -172_800, 3600, -59, 59]) {
    device.crash('opc');
    device.step(step);
    expect(alarmsIn(await device.look({ expected: ['opc'] }))).toEqual([]);
    device.pass(900);
    expect(alarmsIn(await device.look())).toEqual([]);
    device.pass(3600);
  }
});

test('a clock that was set ahead hides no restart', async () => {
  const device = await known();
  device.step(3 * 86_400);
  await device.look();
  device.pass(60);
  device.restart('opc');
  device.step(3 * 86_400);
  expect(alarmsIn(await device.look({ restartsWarn: 1 }))).toEqual(['opc warn restart_loop']);
});

test('where the list cannot be read nothing is known, and nothing forgotten', async () => {
  const device = await known();
  for (let i = 0; i < 3; i += 1) {
    device.restart('opc');
    await device.look();
    device.pass(60);
  }
  device.failListing(true);
  expect((await device.look()).map(({ target, status }) => [target, status])).toEqual([
    ['moduleHealth', 'unknown'],
  ]);
  device.failListing(false);
  expect(alarmsIn(await device.look())).toEqual(['opc warn restart_loop']);
});

test('what is remembered of 1,000 modules that all crash stays within its bounds', async () => {
  const many = Array.from({ length: 1000 }, (_, i) => `${'module'.repeat(20)}${i}`);
  const device = createDevice(['edgeAgent', 'edgeHub', ...many]);
  for (let i = 0; i < 20; i += 1) {
    await device.look();
    device.pass(61);
    for (const name of many) device.restart(name);
  }
  expect(device.remembered()).toBeGreaterThan(20_000);
  expect(device.remembered()).toBeLessThanOrEqual(32_768);
});

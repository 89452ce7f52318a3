import { describe, expect, test } from 'vitest';
import { CannotTell } from '../../../src/check.ts';
import { messageFlow } from '../../../src/checks/edge/message-flow.ts';
import type { EdgeModule } from '../../../src/host/edge/types.ts';
import type { Container, Mount } from '../../../src/host/engine/types.ts';
import type { Host } from '../../../src/host.ts';
import { type Finding, runCheck } from '../../../src/run/runner.ts';
import { container } from '../../support/fixtures/container.ts';
import { type EdgeHubPage, edgeHubPage } from '../../support/fixtures/edge-hub-page.ts';
import { fakeHost, memoryOf } from '../../support/fixtures/fake-host.ts';

const { signal } = new AbortController();
const startedAt = new Date('2026-11-21T12:00:00Z');

/** A device whose edgeHub has been connected to IoT Hub, unless the page says otherwise. */
function device(given: Partial<Host> & { readonly policy?: object } = {}) {
  const { policy = {}, ...methods } = given;
  const memory = memoryOf(() => []);
  let now = startedAt;
  let page: Omit<EdgeHubPage, 'readAt'> = {};
  const host = fakeHost({
    names: { device: 'gw1' },
    now: () => now,
    memory,
    alerts: () => undefined,
    runtimeMetrics: async () => edgeHubPage({ ends: 1, ...page, readAt: now }),
    modules: () => refused('not_applicable'),
    containers: () => refused('no_access'),
    ...methods,
  });
  const run = async (): Promise<readonly Finding[]> =>
    (await runCheck(messageFlow, messageFlow.params.parse(policy), host, 5, signal)).findings;
  return {
    host,
    run,
    /** A look so many minutes later, at this page. */
    async look(minutes: number, next: Omit<EdgeHubPage, 'readAt'> = {}) {
      now = new Date(now.getTime() + minutes * 60_000);
      page = next;
      return byTarget(await run());
    },
    now: () => now,
  };
}

const refused = async (reason: string): Promise<never> => {
  throw new CannotTell(reason, `It is ${reason}`);
};

const byTarget = (findings: readonly Finding[]) =>
  Object.fromEntries(findings.map(({ target, ...finding }) => [target, finding]));

const wrong = (found: ReturnType<typeof byTarget>) =>
  Object.entries(found)
    .filter(([, { status }]) => status === 'warn' || status === 'fail')
    .map(([target, { reason }]) => `${target} ${reason}`);

describe('dropped messages', () => {
  test('that no route takes are a finding with the route, until the window has passed', async () => {
    const { look } = device();
    await look(0, { drops: { 'no_route gw1/filter/out': 100 } });
    const found = await look(5, { drops: { 'no_route gw1/filter/out': 103 } });
    expect(found['filter/out']).toEqual({
      status: 'warn',
      reason: 'no_route',
      message: 'edgeHub dropped 3 messages of filter/out in the last 60 min because no route takes them',
      remedy:
        'Add a route to the deployment: "FROM /messages/modules/filter/outputs/out INTO $upstream". If nobody needs these messages, except this finding in the policy',
      also: [],
      readings: [{ gauge: 'messages_dropped', value: 3 }],
    });
    expect(await look(61, { drops: { 'no_route gw1/filter/out': 103 } })).toMatchObject({
      'filter/out': {
        status: 'pass',
        message: 'edgeHub dropped no message of filter/out in the last 60 min',
        readings: [{ gauge: 'messages_dropped', value: 0 }],
      },
    });
  });

  test('that were there at the first look are no finding, but are from then on', async () => {
    const { look } = device();
    expect(wrong(await look(0, { drops: { 'no_route gw1/filter/out': 1e6 } }))).toEqual([]);
    expect(wrong(await look(5, { drops: { 'no_route gw1/filter/out': 1e6 + 1 } }))).toEqual([
      'filter/out no_route',
    ]);
  });

  test('of another process of edgeHub all count', async () => {
    const { look } = device();
    await look(0, { drops: { 'no_route gw1/filter/out': 100 } });
    expect(await look(5, { instance: 'b', drops: { 'no_route gw1/filter/out': 2 } })).toMatchObject({
      'filter/out': { readings: [{ value: 2 }] },
    });
  });

  test('that have expired are a finding of their own, beside those without a route', async () => {
    const { look } = device({ policy: { windowMinutes: 10 } });
    await look(0);
    const { 'filter/out': found } = await look(5, {
      drops: { 'ttl_expiry gw1/filter/out': 1, 'no_route gw1/filter/out': 2 },
    });
    expect(found).toMatchObject({
      reason: 'no_route',
      also: [
        {
          reason: 'expired',
          message:
            'edgeHub dropped 1 message of filter/out in the last 10 min because they had waited longer than their time to live',
        },
      ],
      readings: [{ gauge: 'messages_dropped', value: 3 }],
    });
  });

  test.each([
    ['gw1/filter/', 'filter', 'FROM /messages/modules/filter/* INTO $upstream'],
    ['other/filter/out', 'filter/out', 'FROM /messages/modules/filter/outputs/out INTO $upstream'],
    ['sensor-1/', 'sensor-1', 'FROM /messages/* WHERE NOT IS_DEFINED($connectionModuleId) INTO $upstream'],
  ])('of %s have the target %s and the route %s', async (from, target, route) => {
    const { look } = device();
    await look(0);
    const found = await look(5, { drops: { [`no_route ${from}`]: 1 } });
    expect(found[target]?.remedy).toContain(`"${route}"`);
  });

  test('of two devices behind each other are added up', async () => {
    const { look } = device();
    await look(0);
    const drops = { 'no_route gw1/filter/out': 1, 'no_route gw2/filter/out': 2 };
    expect(await look(5, { drops })).toMatchObject({ 'filter/out': { readings: [{ value: 3 }] } });
  });
});

describe('the route of the alerts', () => {
  const source = 'hardening/alerts';
  const drops = (value: number) => ({ drops: { [`no_route gw1/${source}`]: value } });

  function sending() {
    let lastAt: Date | undefined;
    const it = device({ alerts: () => ({ source, lastAt }) });
    return {
      ...it,
      sent: () => {
        lastAt = it.now();
      },
    };
  }

  test('is listed and counted before it was used', async () => {
    const { look } = sending();
    expect((await look(0))[source]).toMatchObject({
      status: 'pass',
      message: 'edgeHub dropped no alert of this module in the last 60 min; it has sent none since its start',
      readings: [{ gauge: 'messages_dropped', value: 0 }],
    });
  });

  test('passes once an alert was sent and not dropped', async () => {
    const { look, sent } = sending();
    await look(0);
    sent();
    expect((await look(5))[source]).toMatchObject({
      status: 'pass',
      message:
        'edgeHub dropped no alert of this module in the last 60 min; it sent the last one at 12:00 UTC on 2026-11-21',
    });
  });

  test('is a finding with the route to add, from the first dropped alert', async () => {
    const { look, sent } = sending();
    await look(0);
    sent();
    expect((await look(5, drops(2)))[source]).toMatchObject({
      status: 'warn',
      reason: 'no_route',
      message: 'edgeHub dropped 2 alerts of this module in the last 60 min because no route takes them',
      remedy:
        'Add a route to the deployment: "FROM /messages/modules/hardening/outputs/alerts INTO $upstream". The next alert proves it',
    });
  });

  test('is a finding at the first look already where an alert was sent before', async () => {
    const { look, sent } = sending();
    sent();
    expect((await look(5, drops(2)))[source]).toMatchObject({
      reason: 'no_route',
      message:
        'edgeHub dropped the last alerts of this module, before 12:05 UTC on 2026-11-21, because no route takes them',
    });
  });

  test('stays a finding while no alert proves it, and does not flap with the window', async () => {
    const { look, sent } = sending();
    await look(0);
    sent();
    await look(5, drops(2));
    for (let hour = 0; hour < 23; hour += 1) {
      expect(wrong(await look(60, drops(2)))).toEqual([`${source} no_route`]);
    }
    // Its end is an alert, which proves the route.
    expect(wrong(await look(61, drops(2)))).toEqual([]);
    sent();
    expect(wrong(await look(5, drops(3)))).toEqual([`${source} no_route`]);
  });

  test('passes again once a later alert was not dropped, over a restart of edgeHub too', async () => {
    const { look, sent } = sending();
    await look(0);
    sent();
    await look(5, drops(2));
    expect(wrong(await look(5, { instance: 'b' }))).toEqual([`${source} no_route`]);
    sent();
    expect((await look(70, { instance: 'b' }))[source]).toMatchObject({ status: 'pass' });
  });
});

describe('queues', () => {
  test('leave out the device and add up priorities; without a message IoT Hub has one, too', async () => {
    const { look } = device();
    const found = await look(0, { queues: { 'gw1/filter/in': 3, 'gw2/filter/in': 1 } });
    expect(found).toMatchObject({
      iothub: {
        status: 'pass',
        message: '0 messages wait in edgeHub for IoT Hub',
        readings: [{ gauge: 'queue_length', value: 0 }],
      },
      'filter/in': { status: 'pass', readings: [{ gauge: 'queue_length', value: 4 }] },
    });
  });

  test.each([
    [10_000, []],
    [10_001, ['iothub queue_long']],
  ])('of %d messages: %j', async (length, expected) => {
    expect(wrong(await device().look(0, { queues: { iothub: length } }))).toEqual(expected);
  });

  test('that grow are a finding, and what is also too long as well', async () => {
    const { look } = device({ policy: { maxQueueLength: 3000 } });
    for (let i = 0; i < 9; i += 1) await look(5, { queues: { 'gw1/store/in': 100 + i * 400 } });
    expect((await look(5, { queues: { 'gw1/store/in': 4000 } }))['store/in']).toMatchObject({
      status: 'warn',
      reason: 'queue_long',
      message: '4000 messages wait in edgeHub for store/in, more than 3000',
      also: [
        {
          reason: 'queue_growing',
          message: '4000 messages wait in edgeHub for store/in, after 100 45 min ago',
        },
      ],
    });
  });

  test('with the name of an output are one finding with it', async () => {
    const { look } = device();
    await look(0);
    const found = await look(5, {
      queues: { 'gw1/filter/data': 20_000 },
      drops: { 'no_route gw1/filter/data': 1 },
    });
    expect(found['filter/data']).toMatchObject({
      reason: 'no_route',
      also: [{ reason: 'queue_long' }],
      readings: [
        { gauge: 'messages_dropped', value: 1 },
        { gauge: 'queue_length', value: 20_000 },
      ],
    });
  });

  test.each(['constructor', '__proto__', 'toString'])('can be called %s', async (name) => {
    const { look } = device();
    const page = { queues: Object.fromEntries([[name, 20_000]]), refused: Object.fromEntries([[name, 1]]) };
    await look(0, page);
    expect(wrong(await look(5, page))).toEqual([`${name} queue_long`]);
  });
});

describe('the connection to IoT Hub', () => {
  const connection = (value: number) => [{ gauge: 'edgehub_upstream_connected', value }];

  test('passes', async () => {
    expect((await device().look(0, { ends: 3, losses: 2 })).upstream).toEqual({
      status: 'pass',
      message: 'edgeHub is connected to IoT Hub, which it has lost 2 times since its start',
      readings: connection(1),
    });
  });

  test('is a finding at the second look in a row without it', async () => {
    const { look, run } = device();
    await look(0);
    const away = { ends: 1, losses: 1 };
    expect((await look(5, away)).upstream).toMatchObject({ status: 'pass', readings: connection(0) });
    // The same page again is no second look.
    expect(byTarget(await run()).upstream).toMatchObject({ status: 'pass' });
    expect((await look(5, away)).upstream).toMatchObject({
      status: 'warn',
      reason: 'upstream_offline',
      message:
        'edgeHub has no connection to IoT Hub, which it has lost 1 time since its start; for 5 min at least',
      readings: connection(0),
    });
    expect((await look(5, { ends: 2, losses: 1 })).upstream).toMatchObject({ status: 'pass' });
    expect((await look(5, { ends: 2, losses: 2 })).upstream).toMatchObject({ status: 'pass' });
  });

  test('that was away hours ago and is away now is at its first look', async () => {
    const { look } = device();
    await look(0, { ends: 1, losses: 1 });
    expect((await look(600, { ends: 4, losses: 4 })).upstream).toMatchObject({ status: 'pass' });
  });

  test('that was never made since the start of edgeHub has ten minutes', async () => {
    const { look } = device();
    const never = { instance: 'b', ends: undefined };
    await look(0);
    for (const minutes of [5, 5]) {
      expect((await look(minutes, never)).upstream).toMatchObject({ status: 'pass', readings: [] });
    }
    expect((await look(5, never)).upstream).toMatchObject({ status: 'pass', readings: connection(0) });
    expect((await look(5, never)).upstream).toMatchObject({
      status: 'warn',
      reason: 'upstream_offline',
      message: 'edgeHub has not reached IoT Hub since its start, 15 min ago or earlier; for 5 min at least',
    });
  });

  test('is expected at once of an edgeHub that the runtime says has been running for longer', async () => {
    const { look } = device({
      modules: async () => ({
        listedAt: startedAt,
        uptimeSeconds: 0,
        modules: [
          {
            name: 'edgeHub',
            image: 'hub',
            labelsHash: 'a',
            state: 'running',
            startedAt: new Date(startedAt.getTime() - 600_000),
          },
        ],
      }),
    });
    await look(0, { ends: undefined });
    expect(wrong(await look(1, { ends: undefined }))).toEqual(['upstream upstream_offline']);
  });

  test('is that of this device, not of one behind it', async () => {
    const { look } = device({ names: { device: 'gw2' } });
    expect((await look(0, { ends: 1, losses: 0 })).upstream).toMatchObject({
      message: 'edgeHub started 0 s ago and has not reached IoT Hub yet',
    });
  });
});

test('refused clients are findings with their id', async () => {
  const { look } = device();
  await look(0, { refused: { 'gw1/old': 9 } });
  const found = await look(5, { refused: { 'gw1/old': 9, 'sensor-1': 4 } });
  expect(wrong(found)).toEqual(['sensor-1 clients_refused']);
  expect(found['sensor-1']?.message).toBe(
    'edgeHub refused 4 connections of sensor-1 in the last 60 min, because it could not authenticate it',
  );
  expect(found['gw1/old']).toMatchObject({ status: 'pass' });
});

describe('storage', () => {
  const agent = (storage: EdgeModule['storage']) => ({
    modules: async () => ({
      listedAt: startedAt,
      uptimeSeconds: 0,
      modules: [{ name: 'edgeAgent', image: 'agent', labelsHash: 'a', state: 'running' as const, storage }],
    }),
  });
  const hub = (more: Partial<Container>) => ({
    containers: async () => [container({ name: 'edgeHub', ...more })],
  });
  const at = (target: string, type: Mount['type'] = 'bind') => ({
    mounts: [{ type, source: '/x', target, isWritable: true }],
  });

  test.each<[string, object, string[]]>([
    ['no labels', agent(undefined), []],
    ['a mount', agent({ folder: '/a/edgeAgent', isMounted: true }), []],
    ['no mount', agent({ folder: '/tmp/edgeAgent', isMounted: false }), ['edgeAgent storage_not_persistent']],
  ])('of edgeAgent with %s', async (_, methods, expected) => {
    const found = await device(methods).look(0);
    expect(wrong(found)).toEqual(expected);
  });

  test.each<[string, Partial<Container>, boolean]>([
    ['no mount', {}, false],
    ['a mount of its default folder', at('/tmp/edgeHub'), true],
    ['a mount above it', at('/tmp'), true],
    ['a mount of a folder with a longer name', at('/tmp/edgeHub2'), false],
    ['a mount below it', at('/tmp/edgeHub/x'), false],
    ['a tmpfs', at('/tmp', 'tmpfs'), false],
    ['a volume', at('/tmp/', 'volume'), true],
    ['a mount of the folder it was told to use', { storageFolder: '/s/', ...at('/s') }, true],
    ['a mount of another folder', { storageFolder: '/s', ...at('/tmp') }, false],
  ])('of edgeHub with %s', async (_, more, isKept) => {
    const found = await device(hub(more)).look(0);
    expect(found.edgeHub?.status).toBe(isKept ? 'pass' : 'warn');
    expect(wrong(found)).toEqual(isKept ? [] : ['edgeHub storage_not_persistent']);
  });

  test('is not mentioned where it cannot be known', async () => {
    const found = await device({
      ...agent(undefined),
      containers: async () => [],
    }).look(0);
    expect(Object.keys(found)).toEqual(['upstream', 'iothub']);
    expect(Object.keys(await device().look(0))).toEqual(['upstream', 'iothub']);
  });

  test('that was known is unknown while the runtime does not answer, and not mentioned where it never was', async () => {
    let answers = true;
    const mounted = agent({ folder: '/a', isMounted: true });
    const { look } = device({
      modules: async () => (answers ? mounted.modules() : refused('unreadable')),
      containers: () => refused('timed_out'),
    });
    expect((await look(0)).edgeAgent).toMatchObject({ status: 'pass' });
    answers = false;
    const found = await look(5);
    expect(found.edgeAgent).toMatchObject({ status: 'unknown', reason: 'unreadable' });
    expect(found.edgeHub).toBeUndefined();
  });
});

describe('without the page of edgeHub', () => {
  test.each([
    ['no_access', 'skip'],
    ['not_applicable', 'skip'],
    ['not_found', 'unknown'],
    ['unreadable', 'unknown'],
    ['timed_out', 'unknown'],
  ])('%s is %s', async (reason, status) => {
    const findings = await device({ runtimeMetrics: () => refused(reason) }).run();
    expect(findings).toEqual([{ target: 'upstream', status, reason, message: `It is ${reason}` }]);
  });

  test('every target stays, and nothing is lost or counted twice', async () => {
    let readable = true;
    const page = (value: number) => ({
      drops: { 'no_route gw1/filter/out': value },
      queues: { 'gw1/store/in': 1 },
      refused: { 'sensor-1': 1 },
    });
    const { look } = device({
      alerts: () => ({ source: 'hardening/alerts' }),
      runtimeMetrics: () => (readable ? original() : refused('unreadable')),
    });
    let read = { at: startedAt, page: page(1) };
    const original = async () => edgeHubPage({ ends: 1, ...read.page, readAt: read.at });
    const before = Object.keys(await look(0));
    expect(before).toEqual(['upstream', 'filter/out', 'hardening/alerts', 'iothub', 'store/in', 'sensor-1']);
    readable = false;
    const away = await look(5);
    expect(Object.keys(away).sort()).toEqual(before.toSorted());
    expect(Object.values(away).every(({ status }) => status === 'unknown')).toBe(true);
    readable = true;
    read = { at: new Date(startedAt.getTime() + 600_000), page: page(4) };
    expect(await look(5)).toMatchObject({ 'filter/out': { readings: [{ value: 3 }] } });
  });

  test('an engine or a runtime that hangs delays the messages by no more than its grace', async () => {
    const hangs = (given: AbortSignal) =>
      new Promise<never>((_, reject) => {
        given.addEventListener('abort', () => reject(given.reason));
      });
    const { look } = device({ modules: hangs, containers: hangs });
    expect(Object.keys(await look(0))).toEqual(['upstream', 'iothub']);
  });
});

test('of a flood of names, the worst of each kind are listed, and how many are left out', async () => {
  const { look } = device({ policy: { maxQueueLength: 10 } });
  const many = (count: number, entry: (i: number) => [string, number]) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => entry(i)));
  await look(0);
  const found = await look(5, {
    queues: many(500, (i) => [`gw1/m${i}/in`, i]),
    drops: many(500, (i) => [`no_route gw1/m${i}/${'x'.repeat(500)}`, 1 + i]),
    refused: many(500, (i) => [`sensor-${i}\u0000\n`, 1 + i]),
  });
  expect(Object.keys(found).length).toBeLessThan(80);
  expect(found['m499/in']?.message).toBe(
    '499 messages wait in edgeHub for m499/in, more than 10; 469 more with this kind of problem are left out',
  );
  for (const target of Object.keys(found)) expect(target).toMatch(/^[ -~]{1,128}$/);
});

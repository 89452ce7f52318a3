import { describe, expect, test } from 'vitest';
import { CannotTell } from '../../../src/check.ts';
import { runtimeLifecycle } from '../../../src/checks/system/runtime-lifecycle.ts';
import { supportTable, tableDate } from '../../../src/checks/system/support-table.ts';
import type { System } from '../../../src/host/system/types.ts';
import { runCheck } from '../../../src/run/runner.ts';
import { engineFacts } from '../../support/fixtures/engine.ts';
import { fakeHost } from '../../support/fixtures/fake-host.ts';

const { signal } = new AbortController();

interface Device {
  readonly now?: string;
  readonly gateway?: string;
  /** `none`: edgeAgent's metrics do not answer. */
  readonly daemon?: string;
  readonly engine?: string;
  readonly agentVersion?: string;
  readonly agentImage?: string;
  readonly hubImage?: string;
  readonly system?: Partial<System>;
  readonly socket?: string;
  readonly policy?: object;
}

const digest = `@sha256:${'ab'.repeat(32)}`;
const absent = async (): Promise<never> => {
  throw new CannotTell('no_access', 'It is not given');
};

async function run(device: Device = {}) {
  const { daemon = '1.6.4', engine = '28.1.0', agentVersion = '1.6.8', socket } = device;
  const {
    agentImage = 'mcr.microsoft.com/azureiotedge-agent:1.6',
    hubImage = 'mcr.microsoft.com/azureiotedge-hub:1.6',
  } = device;
  const host = fakeHost({
    now: () => new Date(device.now ?? '2026-01-15T12:00:00Z'),
    names: { gateway: device.gateway ?? 'gateway' },
    modules: async () => ({
      listedAt: new Date(0),
      uptimeSeconds: 0,
      modules: [
        { name: 'edgeAgent', image: agentImage, labelsHash: '', state: 'running' },
        { name: 'edgeHub', image: hubImage, labelsHash: '', state: 'running' },
      ],
    }),
    runtimeMetrics:
      daemon === 'none'
        ? absent
        : async () => ({
            readAt: new Date(0),
            instance: 'a',
            samples: [
              {
                name: 'edgeAgent_metadata',
                value: 0,
                labels: {
                  edge_agent_version: agentVersion,
                  host_information: JSON.stringify({ Version: daemon, ServerVersion: engine }),
                },
              },
            ],
          }),
    engine: socket === undefined ? absent : async () => engineFacts({ version: socket }),
    system: async () => ({
      id: 'ubuntu',
      version: '24.04',
      source: 'os-release',
      hasEflowFiles: false,
      ...device.system,
    }),
  });
  const params = runtimeLifecycle.params.parse(device.policy ?? {});
  const { findings } = await runCheck(runtimeLifecycle, params, host, 5, signal);
  return Object.fromEntries(findings.map((finding) => [finding.target, finding]));
}

const reasonsOf = async (device: Device) =>
  Object.fromEntries(
    Object.entries(await run(device)).map(([target, { status, reason }]) => [target, reason ?? status]),
  );

test('a supported device has a pass for each of its parts, with the day on which support ends', async () => {
  const found = await run();
  expect(Object.keys(found)).toEqual(['iotedge', 'edgeAgent', 'edgeHub', 'engine', 'os']);
  for (const { status } of Object.values(found)) expect(status).toBe('pass');
  expect(found.iotedge).toMatchObject({
    message: 'IoT Edge 1.6.4 is supported, until 2028-11-14',
    readings: [{ gauge: 'runtime_end_of_life_timestamp_seconds', value: Date.parse('2028-11-14') / 1000 }],
  });
});

test.each([
  ['2026-08-11T23:59:59Z', 'pass'],
  ['2026-08-12T00:00:01Z', 'ends_soon'],
  ['2026-11-10T00:00:00Z', 'ends_soon'],
  ['2026-11-10T23:59:59Z', 'ends_soon'],
  ['2026-11-11T00:00:01Z', 'end_of_life'],
])('IoT Edge 1.5, which ends on 2026-11-10, is at %s: %s', async (now, expected) => {
  const image = 'mcr.microsoft.com/azureiotedge-agent:1.5.44';
  const found = await reasonsOf({ now, daemon: '1.5.21', agentImage: image });
  expect(found).toMatchObject({ iotedge: expected, edgeAgent: expected });
});

describe('the version of edgeAgent and edgeHub', () => {
  test.each<[string, string, string]>([
    ['a tag', 'mcr.microsoft.com/azureiotedge-hub:1.4.27-linux-arm32v7', 'end_of_life'],
    ['a tag of another registry with a port', 'registry.plant:5000/hub:1.4', 'end_of_life'],
    ['no tag', 'registry.plant:5000/hub', 'not_applicable'],
    ['a tag that is no version', 'hub:latest', 'not_applicable'],
    ['a digest', `hub${digest}`, 'not_applicable'],
    ['a version that nobody knows', 'hub:9.9', 'not_in_table'],
  ])('is known by %s', async (_, hubImage, expected) => {
    expect(await reasonsOf({ hubImage })).toMatchObject({ edgeHub: expected });
  });

  test('is the one that edgeAgent gives itself, where its image does not say', async () => {
    const agentImage = `agent${digest}`;
    expect(await reasonsOf({ agentImage, agentVersion: '1.4.9' })).toMatchObject({
      edgeAgent: 'end_of_life',
    });
  });
});

describe('the engine', () => {
  test.each<[string, string, string]>([
    ['1.5.21', '28.5.1', 'end_of_life'],
    ['1.5.21', '29.0.0', 'engine_incompatible'],
    ['1.5.21', '29.3.0', 'engine_incompatible'],
    ['1.6.4', '29.0.0', 'engine_incompatible'],
    ['1.6.4', '29.2.9+azure-1', 'engine_incompatible'],
    ['1.6.4', '29.3.0', 'pass'],
    ['1.6.4', '30.1.0', 'not_in_table'],
    ['1.6.4', '24.0.9+azure', 'end_of_life'],
    ['1.6.4', '20.10.25-1', 'end_of_life'],
    ['1.6.4', '25.0.3', 'ends_soon'],
    ['1.6.4', 'unknown', 'not_in_table'],
  ])('of IoT Edge %s in version %s: %s', async (daemon, engine, expected) => {
    expect(await reasonsOf({ daemon, engine, now: '2026-10-01T00:00:00Z' })).toMatchObject({
      engine: expected,
    });
  });

  test('is known by its socket where edgeAgent does not say', async () => {
    expect(await reasonsOf({ daemon: 'none', socket: '27.1.0' })).toMatchObject({ engine: 'end_of_life' });
  });
});

test('a source without an answer costs only what it alone tells', async () => {
  expect(await reasonsOf({ daemon: 'none' })).toEqual({
    iotedge: 'no_access',
    edgeAgent: 'pass',
    edgeHub: 'pass',
    engine: 'no_access',
    os: 'pass',
  });
});

describe('EFLOW', () => {
  const azureLinux = { id: 'azurelinux', version: '3.0' };
  test.each<[string, Device, string | undefined]>([
    ['by its name and its system', { gateway: 'LINE4-EFLOW', system: azureLinux }, 'pass'],
    ['by its name in a domain', { gateway: 'line4-eflow.plant.test', system: azureLinux }, 'pass'],
    ['by its files', { system: { hasEflowFiles: true } }, 'pass'],
    ['not by its name alone', { gateway: 'LINE4-EFLOW' }, undefined],
    ['not by its system alone', { system: azureLinux }, undefined],
    ['which has ended', { gateway: 'x-EFLOW', system: azureLinux, daemon: '1.4.3' }, 'end_of_life'],
  ])('is recognised %s', async (_, device, expected) => {
    expect((await reasonsOf(device)).eflow).toBe(expected);
  });
});

describe('the operating system', () => {
  test.each<[Partial<System>, string]>([
    [{ id: 'ubuntu', version: '20.04' }, 'end_of_life'],
    [{ id: 'debian', version: '12' }, 'pass'],
    [{ id: 'raspbian', version: '12' }, 'pass'],
    [{ id: 'rhel', version: '9.4' }, 'pass'],
    [{ id: 'mariner', version: '2.0' }, 'end_of_life'],
    [{ id: 'azurelinux', version: '3.0' }, 'pass'],
    [{ id: 'ubuntu', version: undefined }, 'no_access'],
    [{ id: undefined, version: undefined }, 'no_access'],
    [{ id: 'buildroot', version: '2024.02' }, 'not_in_table'],
  ])('%j: %s', async (system, expected) => {
    expect(await reasonsOf({ system })).toMatchObject({ os: expected });
  });
});

test('the policy knows better than the table', async () => {
  const policy = {
    dates: { 'iotedge 1.6': '2026-01-20', 'engine 28': '2030-01-01', 'ubuntu 24.04': '2020-01-01' },
  };
  expect(await reasonsOf({ policy })).toEqual({
    iotedge: 'ends_soon',
    edgeAgent: 'ends_soon',
    edgeHub: 'ends_soon',
    engine: 'pass',
    os: 'end_of_life',
  });
});

test.each<[string, string, string]>([
  ['1.6', '1.6.4', 'pass'],
  ['1.6', '1.10.0', 'not_in_table'],
  ['1.10', '1.6.4', 'below_minimum'],
])('with minVersion %s, IoT Edge %s is %s', async (minVersion, daemon, expected) => {
  expect(await reasonsOf({ daemon, policy: { minVersion } })).toMatchObject({ iotedge: expected });
});

test('what has ended and is below the minimum is told as both', async () => {
  const { iotedge } = await run({ daemon: '1.4.0', policy: { minVersion: '1.6' } });
  expect(iotedge).toMatchObject({ reason: 'end_of_life', also: [{ reason: 'below_minimum' }] });
});

test('the table tells its own age once it is more than 400 days old', async () => {
  const at = (days: number) => new Date(Date.parse(tableDate) + days * 86_400_000 + 1000).toISOString();
  expect((await reasonsOf({ now: at(399) })).table).toBeUndefined();
  expect((await run({ now: at(401) })).table).toMatchObject({
    status: 'warn',
    reason: 'table_old',
    message: expect.stringContaining('401 days ago'),
  });
});

test('every line of the table has a day, or says why not', () => {
  for (const [line, end] of Object.entries(supportTable)) {
    expect(line).toMatch(/^[a-z]+ \d+(\.\d+)?$/);
    expect(end === 'ended' || end === 'open' || !Number.isNaN(Date.parse(end))).toBe(true);
  }
});

test.each<[string, object]>([
  ['a product without a version', { dates: { iotedge: '2030-01-01' } }],
  ['a day that is none', { dates: { 'iotedge 1.7': '2030-02-30' } }],
  ['a moment', { dates: { 'iotedge 1.7': '2030-01-01T00:00:00Z' } }],
  ['a minimum that is no version', { minVersion: '1' }],
])('%s is refused', (_, policy) => {
  expect(runtimeLifecycle.params.safeParse(policy).success).toBe(false);
});

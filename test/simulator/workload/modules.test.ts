import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { createWorkload } from '../../../src/host/edge/workload.ts';
import { simulated } from '../../support/servers/simulator.ts';

const simulator = await simulated({ moduleId: 'mod' });
afterAll(() => simulator.close());

/** What the workload API lists, as a module reads it. */
function listed(path = '/modules'): Promise<unknown> {
  const socketPath = (simulator.environment.IOTEDGE_WORKLOADURI ?? '').replace('unix://', '');
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path: `${path}?api-version=2018-06-28`, agent: false }, (response) =>
      json(response).then(resolve, reject),
    );
    asked.on('error', reject);
    asked.end();
  });
}

const put = (modules: unknown) => simulator.admin('PUT', '/modules', { modules });

const moduleOf = (name: string, status?: unknown) => ({
  name,
  config: { settings: { image: `registry.test/${name}:1.0` } },
  ...(status === undefined ? {} : { status }),
});

beforeEach(async () => {
  await put([moduleOf('edgeAgent'), moduleOf('edgeHub')]);
});

describe('PUT /modules', () => {
  test('replaces the list that the workload API returns, in full form', async () => {
    const full = {
      id: 'id',
      name: 'filter',
      type: 'docker',
      config: {
        settings: {
          image: 'mcr.microsoft.com/filter:1.0',
          imageHash: 'sha256:1234',
          createOptions: { Labels: { 'org.opencontainers.image.version': '1.0.4' } },
        },
        env: [],
      },
      status: {
        startTime: '2026-11-20T10:00:00.123456789Z',
        exitStatus: { exitTime: '2026-11-20T11:00:00+00:00', statusCode: '137' },
        runtimeStatus: { status: 'failed', description: 'Exited (137) 2 minutes ago' },
      },
    };
    expect(await put([full])).toEqual({ status: 200, body: { modules: [full] } });
    expect(await listed()).toEqual({ modules: [full] });
    expect(await listed('/modules/')).toEqual({ modules: [full] });
    expect(await simulator.admin('GET', '/modules')).toEqual({ status: 200, body: { modules: [full] } });
  });

  test('adds what is left out as edged lists it for a running module', async () => {
    expect(await listed()).toEqual({
      modules: ['edgeAgent', 'edgeHub'].map((name) => ({
        id: 'id',
        name,
        type: 'docker',
        config: {
          settings: {
            image: `registry.test/${name}:1.0`,
            imageHash: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
            createOptions: {
              Labels: {
                'net.azure-devices.edge.owner': 'Microsoft.Azure.Devices.Edge.Agent',
                'net.azure-devices.edge.original-image': `registry.test/${name}:1.0`,
              },
            },
          },
          env: [],
        },
        status: { startTime: expect.stringMatching(/Z$/), runtimeStatus: { status: 'running' } },
      })),
    });
  });

  test('lists other fields as they are', async () => {
    await put([{ ...moduleOf('a'), more: { x: [1, null] } }]);
    expect(await listed()).toMatchObject({
      modules: [{ name: 'a', type: 'docker', more: { x: [1, null] } }],
    });
  });

  test('takes a list without its wrapper, and an empty one', async () => {
    await simulator.admin('PUT', '/modules', [moduleOf('a')]);
    expect(await listed()).toMatchObject({ modules: [{ name: 'a' }] });
    await put([]);
    expect(await listed()).toEqual({ modules: [] });
  });

  test('is what the agent reads', async () => {
    const { modules } = createWorkload(simulator.environment.IOTEDGE_WORKLOADURI ?? '');
    expect(await modules(new AbortController().signal)).toMatchObject([
      { name: 'edgeAgent', image: 'registry.test/edgeAgent:1.0' },
      { name: 'edgeHub', image: 'registry.test/edgeHub:1.0' },
    ]);
  });

  test('is what the metrics of edgeAgent are about', async () => {
    await put([
      moduleOf('edgeAgent'),
      moduleOf('up'),
      moduleOf('down', { runtimeStatus: { status: 'dead' } }),
    ]);
    const page = await (await fetch(simulator.edgeAgentMetricsUrl)).text();
    expect(
      page
        .match(/^edgeAgent_module_start_total\{.*$/gm)
        ?.map((line) => line.replace(/.*module_name="(\w+)".* /, '$1 ')),
    ).toEqual(['up 1', 'down 4']);
  });

  test.each<[unknown, string]>([
    [undefined, 'modules must be a list, got nothing'],
    [[1], 'modules[0] must be an object, got 1'],
    [[{}], 'modules[0].config must be an object, got nothing'],
    [[{ ...moduleOf('a'), name: 5 }], 'modules[0].name must be a text of letters, digits, _ and -, got 5'],
    [[moduleOf('a b')], 'modules[0].name must be'],
    [[moduleOf('a'), moduleOf('a')], 'modules[1].name must be unique, got "a"'],
    [
      [{ name: 'a', config: { settings: {} } }],
      'modules[0].config.settings.image must be a text, got nothing',
    ],
    [
      [{ name: 'a', config: { settings: { image: 'i', createOptions: '{}' } } }],
      'modules[0].config.settings.createOptions must be an object, got "{}"',
    ],
    [
      [moduleOf('a', { runtimeStatus: { status: 'Running' } })],
      'modules[0].status.runtimeStatus.status must be one of unknown, running, stopped, failed, dead, got "Running"',
    ],
    [[moduleOf('a', {})], 'modules[0].status.runtimeStatus must be an object, got nothing'],
    [
      [moduleOf('a', { startTime: 'now', runtimeStatus: { status: 'running' } })],
      'modules[0].status.startTime must be a time such as "2026-01-01T00:00:00Z", got "now"',
    ],
    [
      [
        moduleOf('a', {
          exitStatus: { exitTime: '2026-01-01T00:00:00Z', statusCode: 137 },
          runtimeStatus: { status: 'failed' },
        }),
      ],
      'modules[0].status.exitStatus.statusCode must be a text of digits such as "139", got 137',
    ],
  ])('rejects %j, names the field and changes nothing', async (modules, error) => {
    expect(await put(modules)).toEqual({ status: 400, body: { error: expect.stringContaining(error) } });
    expect(await listed()).toMatchObject({ modules: [{ name: 'edgeAgent' }, { name: 'edgeHub' }] });
  });
});

test('a module list that is nested too deeply to be written is an error, and the simulator goes on', async () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const modules = `[{"name":"a","config":{"settings":{"image":"i"}},"deep":${deep}}]`;
  expect(await simulator.admin('PUT', '/modules', modules)).toMatchObject({ status: 500 });
  expect(await simulator.admin('PUT', '/modules', '[]')).toEqual({ status: 200, body: { modules: [] } });
});

import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startSimulator } from '../../../simulator/index.ts';
import { createWorkload, noModules } from '../../../src/host/edge/workload.ts';
import { unixHttpServer } from '../../support/servers/tcp.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const never = new AbortController().signal;

async function answering(body: string) {
  const path = join(await tempFolder(), 'workload.sock');
  const asked: unknown[] = [];
  await unixHttpServer(path, ({ method, url }, response) => {
    asked.push([method, url]);
    response.end(body);
  });
  return { workload: createWorkload(`unix://${path}`), asked };
}

describe('the modules of this device', () => {
  test('have no labels and no environment, wherever a secret is planted', async () => {
    const secret = 's3cret';
    const { workload, asked } = await answering(
      JSON.stringify({
        modules: [
          {
            id: secret,
            name: 'edgeAgent',
            type: 'docker',
            config: {
              settings: {
                image: 'mcr.microsoft.com/azureiotedge-agent:1.6',
                createOptions: {
                  Labels: {
                    'net.azure-devices.edge.env': JSON.stringify({
                      https_proxy: { value: `http://me:${secret}@proxy.test:3128` },
                      no_proxy: `localhost, user:${secret}@edgeHub,10.0.0.0/8`,
                      storageFolder: { value: '/iotedge', secret },
                      [secret]: secret,
                    }),
                    'net.azure-devices.edge.create-options': JSON.stringify({
                      Env: [`TOKEN=${secret}`],
                      HostConfig: { Binds: [`/${secret}:/iotedge:rw`] },
                    }),
                    [secret]: secret,
                  },
                  Env: [secret],
                },
              },
              env: [{ key: 'TOKEN', value: secret }],
            },
            status: {
              runtimeStatus: { status: 'running', description: secret },
              exitStatus: { exitTime: secret, statusCode: secret },
            },
          },
        ],
      }),
    );
    const modules = await workload.modules(never);
    expect(modules).toEqual([
      {
        name: 'edgeAgent',
        image: 'mcr.microsoft.com/azureiotedge-agent:1.6',
        labelsHash: expect.stringMatching(/^[\w-]{16}$/),
        state: 'running',
        storage: { folder: '/iotedge/edgeAgent', isMounted: true },
        proxy: { https: 'proxy.test:3128', noProxy: ['localhost', '10.0.0.0/8'] },
      },
    ]);
    expect(JSON.stringify(modules)).not.toContain(secret);
    expect(asked).toEqual([['GET', '/modules?api-version=2018-06-28']]);
  });

  test('keep those that can be read where others are malformed', async () => {
    const settings = { image: 'i' };
    const { workload } = await answering(
      JSON.stringify({
        modules: [
          null,
          { name: 'noImage', config: {} },
          { name: 'x'.repeat(129), config: { settings } },
          { name: 'two lines\n', config: { settings } },
          { name: 'longImage', config: { settings: { image: 'i'.repeat(1025) } } },
          { name: 'oddTimes', config: { settings }, status: { startTime: 'yesterday', exitStatus: 3 } },
          { name: 'twice', config: { settings }, status: { runtimeStatus: { status: 'resting' } } },
          { name: 'twice', config: { settings }, status: { runtimeStatus: { status: 'running' } } },
        ],
      }),
    );
    const modules = await workload.modules(never);
    expect(modules.map(({ name, state }) => [name, state])).toEqual([
      ['oddTimes', 'unknown'],
      ['twice', 'running'],
    ]);
  });

  test('are those of the simulator', async () => {
    const simulator = await startSimulator({ hubPort: 0, adminPort: 0, metricsPort: 0, moduleId: 'mod' });
    try {
      const workload = createWorkload(simulator.environment.IOTEDGE_WORKLOADURI ?? '');
      const names = (await workload.modules(never)).map(({ name }) => name);
      expect(names).toEqual(['edgeAgent', 'edgeHub', 'mod', 'plcGateway']);
    } finally {
      await simulator.close();
    }
  });

  test.each([
    ['no JSON', '<html>', 'with something other than a JSON object'],
    [
      'more than 1,000 modules',
      JSON.stringify({ modules: Array(1001).fill(0) }),
      'without a valid "modules"',
    ],
    ['no list', '{"modules":{}}', 'without a valid "modules"'],
    ['only a module without an image', '{"modules":[{"name":"a","config":{}}]}', 'without a valid "modules"'],
  ])('in an answer with %s are unreadable', async (_, body, wrong) => {
    const { workload } = await answering(body);
    const failure = workload.modules(never);
    await expect(failure).rejects.toThrow(/^GET \/modules on \S+ was answered with/);
    await expect(failure).rejects.toMatchObject({
      reason: 'unreadable',
      message: expect.stringContaining(wrong),
    });
  });

  test('are unreadable where the server changes to another protocol', async () => {
    const path = join(await tempFolder(), 'workload.sock');
    const server = createServer((socket) => {
      socket.once('data', () =>
        socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
      );
    }).listen(path);
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    await expect(createWorkload(`unix://${path}`).modules(never)).rejects.toMatchObject({
      reason: 'unreadable',
      message: `GET /modules on ${path} was not answered: it changed to another protocol`,
    });
  });

  test('in an answer that does not end are not read for ever', async () => {
    const { workload } = await answering(`{"modules":[${'"x",'.repeat(300_000)}`);
    await expect(workload.modules(never)).rejects.toMatchObject({
      reason: 'unreadable',
      message: expect.stringContaining('more than 1048576 bytes'),
    });
  });

  test('are not known to an agent that is none itself', async () => {
    await expect(noModules(never)).rejects.toMatchObject({ reason: 'not_applicable' });
  });
});

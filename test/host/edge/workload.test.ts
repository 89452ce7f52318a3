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
  test('have no labels and no environment', async () => {
    const { workload, asked } = await answering(
      JSON.stringify({
        modules: [
          {
            id: 'id',
            name: 'edgeAgent',
            type: 'docker',
            config: {
              settings: {
                image: 'mcr.microsoft.com/azureiotedge-agent:1.6',
                createOptions: {
                  Labels: { 'net.azure-devices.edge.env': '{"https_proxy":"http://me:s3cret@p"}' },
                },
              },
              env: [{ key: 'TOKEN', value: 's3cret' }],
            },
            status: { runtimeStatus: { status: 'running' } },
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
      },
    ]);
    expect(asked).toEqual([['GET', '/modules?api-version=2018-06-28']]);
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
    ['no list', '{"modules":{}}', 'without a valid "modules"'],
    [
      'a module without an image',
      '{"modules":[{"name":"a","config":{}}]}',
      'without a valid "modules.0.config.settings"',
    ],
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

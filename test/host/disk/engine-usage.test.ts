import type { RequestListener } from 'node:http';
import { expect, test } from 'vitest';
import { createEngineUsage } from '../../../src/host/disk/engine-usage.ts';
import { fakeEngine } from '../../support/servers/engine.ts';

const { signal } = new AbortController();

/** An engine with this answer to `GET /system/df`. */
const engine = (df: object) =>
  fakeEngine({ '/info': { DockerRootDir: '/var/lib/docker' }, '/system/df': { ...df } });

const none = { bytes: 0, unusedBytes: 0 };
const usage = async (df: object) => createEngineUsage(await engine(df))(signal);

test('images, containers, volumes and build cache are added up as the engine lists them', async () => {
  const df = {
    LayersSize: 1000,
    Images: [
      { Size: 700, SharedSize: 100, Containers: 1 },
      { Size: 400, SharedSize: 100, Containers: 0 },
      { Size: 50, SharedSize: -1, Containers: 0 },
    ],
    Containers: [
      { SizeRw: 10, State: 'running' },
      { State: 'created' },
      { SizeRw: 30, State: 'exited' },
      { SizeRw: 2, State: 'paused' },
    ],
    Volumes: [
      { UsageData: { Size: 5, RefCount: 1 } },
      { UsageData: { Size: 7, RefCount: 0 } },
      { UsageData: { Size: -1, RefCount: -1 } },
      { UsageData: null },
    ],
    BuildCache: [
      { Size: 100, InUse: false, Shared: false },
      { Size: 20, InUse: true, Shared: false },
      { Size: 1000, InUse: false, Shared: true },
    ],
  };
  expect(await usage(df)).toEqual({
    folder: '/var/lib/docker',
    images: { bytes: 1000, unusedBytes: 350 },
    containers: { bytes: 42, unusedBytes: 30 },
    volumes: { bytes: 12, unusedBytes: 7 },
    buildCache: { bytes: 120, unusedBytes: 100 },
  });
});

test('an engine that adds up itself (API 1.52 and later) is believed', async () => {
  const df = {
    ImageUsage: { TotalCount: 2, TotalSize: 1000, Reclaimable: 350 },
    ContainerUsage: { TotalSize: 40 },
    VolumeUsage: {},
  };
  expect(await usage(df)).toEqual({
    folder: '/var/lib/docker',
    images: { bytes: 1000, unusedBytes: 350 },
    containers: { bytes: 40, unusedBytes: 0 },
    volumes: none,
    buildCache: none,
  });
});

test('an engine with nothing answers null, which counts as empty', async () => {
  const df = { LayersSize: 0, Images: [], Containers: [], Volumes: null, BuildCache: null };
  expect(await usage(df)).toMatchObject({ images: none, volumes: none, buildCache: none });
});

test('it is queried by GET only, and once for all callers within the period', async () => {
  const { socketPath, asked } = await engine({});
  const ask = createEngineUsage({ socketPath });
  await Promise.all([ask(signal), ask(signal)]);
  await ask(signal);
  expect(asked.toSorted()).toEqual(['GET /v1.47/info', 'GET /v1.47/system/df', 'GET /version']);
  const anew = createEngineUsage({ socketPath, freshSeconds: 0 });
  await anew(signal);
  await anew(signal);
  expect(asked).toHaveLength(9);
});

test.each<[string, RequestListener]>([
  ['an error', (_, response) => void response.writeHead(500).end('{"message":"no"}')],
  ['something else than JSON', (_, response) => void response.end('<html>')],
  ['JSON of another shape', (_, response) => void response.end('[1]')],
  ['nothing', () => {}],
  ['half an answer', (_, response) => void response.write('{"DockerRootDir":')],
  ['more and more', (_, response) => void pour(response)],
])('an engine that answers with %s says nothing', async (_, answer) => {
  const { socketPath } = await fakeEngine({ '/info': answer, '/system/df': answer });
  expect(await createEngineUsage({ socketPath, seconds: 0.5 })(signal)).toBeUndefined();
});

test('without an engine there is no usage', async () => {
  expect(await createEngineUsage({ socketPath: '/no/such.sock' })(signal)).toBeUndefined();
});

test('a caller stops waiting when its signal fires, and the next has the answer', async () => {
  const held: (() => void)[] = [];
  const hold: RequestListener = (_, response) => {
    held.push(() => response.end('{"DockerRootDir":"/var/lib/docker"}'));
    if (held.length === 2) stop.abort(reason);
  };
  const { socketPath } = await fakeEngine({ '/info': hold, '/system/df': hold });
  const ask = createEngineUsage({ socketPath });
  const stop = new AbortController();
  const reason = new DOMException('late', 'TimeoutError');
  await expect(ask(stop.signal)).rejects.toBe(reason);
  for (const answer of held) answer();
  expect(await ask(signal)).toMatchObject({ folder: '/var/lib/docker' });
});

/** Writes without end, as fast as it is read. */
function pour(response: Parameters<RequestListener>[1]): void {
  const chunk = Buffer.alloc(1_048_576, ' ');
  const more = () => {
    while (response.write(chunk));
  };
  response.on('drain', more);
  more();
}

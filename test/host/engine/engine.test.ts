import { mkdir, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createEngine } from '../../../src/host/engine/engine.ts';
import { createFiles } from '../../../src/host/files/files.ts';
import { fakeEngine } from '../../support/servers/engine.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const { signal } = new AbortController();

const idOf = (i: number) => i.toString(16).padStart(64, '0');
const inspected = (name: string) => ({ Name: `/${name}`, Config: { Image: 'a' }, HostConfig: {} });

/** Answers for some containers. */
const containers = (count: number) => ({
  '/containers/json?all=1': Array.from({ length: count }, (_, i) => ({ Id: idOf(i), Names: [`/m${i}`] })),
  ...Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`/containers/${idOf(i)}/json`, inspected(`m${i}`)]),
  ),
});

async function engineWith(answers: Parameters<typeof fakeEngine>[0], daemonJson?: string) {
  const folder = await tempFolder();
  if (daemonJson !== undefined) {
    await mkdir(join(folder, 'etc/docker'), { recursive: true });
    await writeFile(join(folder, 'etc/docker/daemon.json'), daemonJson);
  }
  const { socketPath, asked } = await fakeEngine(answers);
  const files = createFiles({ hostRoot: folder, mountinfo: () => '' });
  return { asked, ...createEngine({ socketPath, files }) };
}

describe('containers', () => {
  test('are all listed, those that do not run too, in one look for everybody', async () => {
    const { containers: list, asked } = await engineWith(containers(20));
    const [one, other] = await Promise.all([list(signal), list(signal)]);
    expect(await list(signal)).toBe(one);
    expect(other).toBe(one);
    expect(one.map(({ name }) => name)).toEqual(Array.from({ length: 20 }, (_, i) => `m${i}`));
    expect(asked).toHaveLength(22);
    expect(asked).toContain('GET /v1.47/containers/json?all=1');
  });

  test('two hundred are inspected a few at a time', async () => {
    let [now, most] = [0, 0];
    const slow =
      (name: string): RequestListener =>
      (_, response) => {
        most = Math.max(most, ++now);
        setImmediate(() => {
          now -= 1;
          response.end(JSON.stringify(inspected(name)));
        });
      };
    const answers = Object.fromEntries(
      Array.from({ length: 200 }, (_, i) => [`/containers/${idOf(i)}/json`, slow(`m${i}`)]),
    );
    const { containers: list } = await engineWith({ ...containers(200), ...answers });
    expect(await list(signal)).toHaveLength(200);
    expect(most).toBeLessThanOrEqual(8);
  });

  test('one that is removed meanwhile is left out', async () => {
    const { [`/containers/${idOf(1)}/json`]: _, ...rest } = containers(3) as Record<string, object[]>;
    const { containers: list } = await engineWith(rest);
    expect((await list(signal)).map(({ name }) => name)).toEqual(['m0', 'm2']);
  });

  test.each<[string, RequestListener | object[] | string]>([
    ['an error', (_, response) => void response.writeHead(500).end('{}')],
    ['something else than JSON', '<html>'],
    ['JSON of another shape', '{"a":1}'],
    ['an id that is a path', [{ Id: '../../info' }]],
    ['more containers than a device has', Array.from({ length: 1001 }, (_, i) => ({ Id: idOf(i) }))],
    ['more bytes than are read', (_, response) => void response.end(Buffer.alloc(9 * 1_048_576, ' '))],
  ])('a list that is answered with %s is unreadable, and asked again the next time', async (_, answer) => {
    const { containers: list, asked } = await engineWith({ '/containers/json?all=1': answer });
    await expect(list(signal)).rejects.toMatchObject({ reason: 'unreadable' });
    const before = asked.length;
    await expect(list(signal)).rejects.toMatchObject({ reason: 'unreadable' });
    expect(asked.length).toBeGreaterThan(before);
  });

  test('a caller that gives up leaves the answer to the others', async () => {
    const held: (() => void)[] = [];
    const stop = new AbortController();
    const reason = new DOMException('late', 'TimeoutError');
    const { containers: list } = await engineWith({
      '/containers/json?all=1': (_, response) => {
        held.push(() => response.end('[]'));
        stop.abort(reason);
      },
    });
    const others = list(signal);
    await expect(list(stop.signal)).rejects.toBe(reason);
    for (const answer of held) answer();
    expect(await others).toEqual([]);
  });
});

describe('the engine itself', () => {
  const info = {
    SecurityOptions: ['name=seccomp,profile=builtin'],
    LoggingDriver: 'json-file',
    RegistryConfig: {
      InsecureRegistryCIDRs: ['::1/128', '127.0.0.0/8', '10.0.0.0/8'],
      IndexConfigs: { 'docker.io': { Secure: true }, 'registry.plant:5000': { Secure: false } },
    },
    LiveRestoreEnabled: true,
    ExperimentalBuild: false,
    Warnings: ['[DEPRECATION NOTICE]: API is accessible on http://0.0.0.0:2375 without encryption.'],
  };

  test('says how it is configured; registries of the device itself are no risk', async () => {
    const { engine } = await engineWith({ '/info': info }, '{}');
    expect(await engine(signal)).toEqual({
      version: '27.3.1',
      minApiVersion: '1.24',
      securityOptions: ['name=seccomp,profile=builtin'],
      logDriver: 'json-file',
      insecureRegistries: ['10.0.0.0/8', 'registry.plant:5000'],
      liveRestore: true,
      experimental: false,
      openApiWarning: info.Warnings[0],
      file: { tcpHosts: [], tlsVerify: false },
    });
  });

  test.each<[string, string | undefined, object | undefined]>([
    [
      'is there',
      '{"log-driver":"json-file","log-opts":{"max-size":"10m"},"hosts":["unix:///a","tcp://0.0.0.0:2375"],"tlsverify":true}',
      { logDriver: 'json-file', maxSize: '10m', tcpHosts: ['tcp://0.0.0.0:2375'], tlsVerify: true },
    ],
    ['was not given', undefined, undefined],
  ])('its daemon.json %s', async (_, text, file) => {
    const { engine } = await engineWith({ '/info': {} }, text);
    expect((await engine(signal)).file).toEqual(file);
  });

  test('a daemon.json that dockerd would refuse is unreadable, without a word of it', async () => {
    const { engine } = await engineWith({ '/info': {} }, '{"s3cret": }');
    await expect(engine(signal)).rejects.toMatchObject({
      reason: 'unreadable',
      message: expect.not.stringContaining('s3cret'),
    });
  });
});

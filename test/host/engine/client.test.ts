import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type EnginePath, openEngine } from '../../../src/host/engine/client.ts';
import { isRoot } from '../../support/programs/installed.ts';
import { fakeEngine } from '../../support/servers/engine.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const { signal } = new AbortController();

test('every byte that is sent belongs to a GET without a body', async () => {
  const socketPath = join(await tempFolder(), 'engine.sock');
  let sent = '';
  const server = createServer((socket) => {
    socket.on('data', (bytes) => {
      sent += bytes.toString('latin1');
      const body = '{"Version":"27","ApiVersion":"1.47","MinAPIVersion":"1.24"}';
      socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
    });
  }).listen(socketPath);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const client = await openEngine(socketPath, signal);
  const paths: EnginePath[] = [
    '/info',
    '/system/df',
    '/containers/json?all=1',
    `/containers/${'a'.repeat(64)}/json`,
  ];
  for (const path of paths) await client.get(path, signal);
  const requests = sent.split('\r\n\r\n').filter((request) => request !== '');
  expect(requests.map((request) => request.split('\r\n')[0])).toEqual([
    'GET /version HTTP/1.1',
    ...paths.map((path) => `GET /v1.47${path} HTTP/1.1`),
  ]);
  expect(sent).not.toMatch(/content-length|transfer-encoding|upgrade/i);
  expect(sent.endsWith('\r\n\r\n')).toBe(true);
});

test.each([
  '/containers/json',
  '/containers/create',
  `/containers/${'a'.repeat(64)}/archive`,
  `/containers/../info`,
  '/images/json',
  `/containers/${'a'.repeat(64)}/json?x=1`,
])('%s is never asked', async (path) => {
  const { socketPath, asked } = await fakeEngine({});
  const client = await openEngine(socketPath, signal);
  expect(() => client.get(path as EnginePath, signal)).toThrow(TypeError);
  expect(asked).toEqual(['GET /version']);
});

test.each<[string, object, string]>([
  ['an old engine', { Version: '1.12.6', ApiVersion: '1.24' }, '/v1.24/info'],
  ['a current one', { Version: '27.3.1', ApiVersion: '1.47', MinAPIVersion: '1.24' }, '/v1.47/info'],
  [
    'one that has dropped old versions',
    { Version: '29.0.1', ApiVersion: '1.52', MinAPIVersion: '1.44' },
    '/v1.52/info',
  ],
  ['one of the future', { Version: '40.0.0', ApiVersion: '1.99', MinAPIVersion: '1.50' }, '/v1.52/info'],
  ['one of the far future', { Version: '60.0.0', ApiVersion: '1.120', MinAPIVersion: '1.80' }, '/v1.80/info'],
])('%s is asked in a version of its API that it knows', async (_, version, path) => {
  const { socketPath, asked } = await fakeEngine({ '/info': {} }, version);
  await (await openEngine(socketPath, signal)).get('/info', signal);
  expect(asked.at(-1)).toBe(`GET ${path}`);
});

describe('a socket', () => {
  test('that is not there is no access, with the createOptions that mount it', async () => {
    await expect(openEngine('/nowhere/docker.sock', signal)).rejects.toMatchObject({
      reason: 'no_access',
      remedy: expect.stringContaining('"Binds": [ "/var/run/docker.sock:/nowhere/docker.sock" ]'),
    });
  });

  test.skipIf(!isRoot)('that this user may not use is unreadable, with the group to add (root)', async () => {
    const { socketPath } = await fakeEngine({});
    await chmod(join(socketPath, '..'), 0o755);
    await chmod(socketPath, 0o600);
    process.seteuid?.(65_532);
    try {
      await expect(openEngine(socketPath, signal)).rejects.toMatchObject({
        reason: 'unreadable',
        remedy: expect.stringContaining('"GroupAdd"'),
      });
    } finally {
      process.seteuid?.(0);
    }
  });

  test.each<[string, object]>([
    ['another program', { hello: 'world' }],
    ['a list', { ApiVersion: ['1.47'] }],
    ['a version with a path in it', { Version: '27', ApiVersion: '1.47/../..' }],
  ])('of %s is no engine', async (_, version) => {
    const { socketPath } = await fakeEngine({}, version);
    await expect(openEngine(socketPath, signal)).rejects.toMatchObject({ reason: 'unreadable' });
  });

  test('that hangs costs the deadline of the caller', async () => {
    const { socketPath } = await fakeEngine({}, () => {});
    const reason = new DOMException('late', 'TimeoutError');
    const stop = new AbortController();
    const opened = openEngine(socketPath, stop.signal);
    stop.abort(reason);
    await expect(opened).rejects.toBe(reason);
  });
});

import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createGrants } from '../../../src/host/files/grants.ts';
import type { Need } from '../../../src/host.ts';
import { refusedPort } from '../../support/servers/tcp.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const { signal } = new AbortController();

async function listening(server: Server, ...to: [string] | [number, string]): Promise<Server> {
  server.listen(...(to as [string]));
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return server;
}

const grantsOf = (sockets: { engine: string; workload: string | undefined }) => {
  const asked: string[] = [];
  const grants = createGrants({
    files: {
      canRead: async (path) => asked.push(`read ${path}`) > 0,
      canUse: async (path) => asked.push(`use ${path}`) > 0 && false,
    },
    sockets,
  });
  return { asked, grants: (need: Exclude<Need, { kind: 'network' }>) => grants(need, signal) };
};

test('a path is granted when it can be read, a device when it can be read and written', async () => {
  const { asked, grants } = grantsOf({ engine: '/none', workload: undefined });
  expect(await grants({ kind: 'path', path: '/etc/chrony.conf' })).toBe(true);
  expect(await grants({ kind: 'device', path: '/dev/tpmrm0' })).toBe(false);
  expect(asked).toEqual(['read /etc/chrony.conf', 'use /dev/tpmrm0']);
});

test('a socket is granted when something accepts a connection there, and is sent nothing', async () => {
  const path = join(await tempFolder(), 'engine.sock');
  const received: Buffer[] = [];
  const server = createServer((socket) => socket.on('data', (chunk) => received.push(chunk)));
  await listening(server, path);
  const { grants } = grantsOf({ engine: path, workload: undefined });
  const closed = new Promise<void>((resolve) =>
    server.on('connection', (socket) => socket.on('close', () => resolve())),
  );
  expect(await grants({ kind: 'socket', socket: 'engine' })).toBe(true);
  await closed;
  expect(received).toEqual([]);
});

test('a socket that is missing, or that this machine does not have, is not granted', async () => {
  const { grants } = grantsOf({ engine: join(await tempFolder(), 'none.sock'), workload: undefined });
  expect(await grants({ kind: 'socket', socket: 'engine' })).toBe(false);
  expect(await grants({ kind: 'socket', socket: 'workload' })).toBe(false);
});

test('an HTTP address is granted when its port accepts a connection', async () => {
  const server = await listening(createServer(), 0, '127.0.0.1');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const { grants } = grantsOf({ engine: '/none', workload: undefined });
  expect(await grants({ kind: 'http', url: `http://127.0.0.1:${port}/metrics` })).toBe(true);
  expect(await grants({ kind: 'http', url: `http://127.0.0.1:${await refusedPort()}/metrics` })).toBe(false);
});

test('a signal that fires rejects with its reason', async () => {
  const grants = createGrants({
    files: { canRead: async () => true, canUse: async () => true },
    sockets: { engine: '/none', workload: undefined },
  });
  const stopped = AbortSignal.abort(new Error('stopped'));
  await expect(grants({ kind: 'socket', socket: 'engine' }, stopped)).rejects.toThrow('stopped');
});

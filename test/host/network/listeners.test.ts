import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createFiles } from '../../../src/host/files/files.ts';
import { createListeners } from '../../../src/host/network/listeners.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const { signal: never } = new AbortController();
const heading = '  sl  local_address rem_address   st\n';
const listening = (hexPort: string, address = '00000000') =>
  `${heading}   0: ${address}:${hexPort} ${address.replaceAll(/./g, '0')}:0000 0A 0:0 0:0 0  0 0 1\n`;

/** A namespace's tables in a folder: `tcp` and `udp`, and those of IPv6 unless the kernel has none. */
async function tables(folder: string, hexPort: string, { ipv6 = true } = {}): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'tcp'), listening(hexPort));
  await writeFile(join(folder, 'udp'), heading);
  if (ipv6) {
    await writeFile(join(folder, 'tcp6'), heading);
    await writeFile(join(folder, 'udp6'), heading);
  }
  return folder;
}

async function machine({ standalone = false, hardware = false, mounted = true, ipv6 = true } = {}) {
  const folder = await tempFolder();
  const hostRoot = join(folder, 'host');
  await mkdir(join(folder, 'interfaces/lo'), { recursive: true });
  await mkdir(join(folder, hardware ? 'interfaces/eth0/device' : 'interfaces/eth0'), { recursive: true });
  if (mounted) {
    await tables(join(hostRoot, 'proc/1/net'), '0016', { ipv6 });
    // As in every /proc: the reader's own namespace.
    await symlink('self/net', join(hostRoot, 'proc/net'));
  }
  return createListeners({
    files: createFiles({ hostRoot, mountinfo: () => '' }),
    ownPort: 9600,
    standalone,
    ownTables: await tables(join(folder, 'own'), '1F90', { ipv6 }),
    ownInterfaces: join(folder, 'interfaces'),
  });
}

const portsOf = async (listeners: Awaited<ReturnType<typeof machine>>) =>
  (await listeners(never)).listeners.map(({ port }) => port);

test('the sockets are those of the VM where its /proc is mounted', async () => {
  expect(await portsOf(await machine({ standalone: true, hardware: true }))).toEqual([22]);
});

test.each([
  ['that runs on the device itself', { standalone: true }],
  ['with host networking', { hardware: true }],
])('without the mount they are its own for an agent %s', async (_, options) => {
  expect(await portsOf(await machine({ ...options, mounted: false }))).toEqual([8080]);
});

test('a module with a network of its own is told to mount /proc', async () => {
  await expect((await machine({ mounted: false }))(never)).rejects.toMatchObject({
    reason: 'no_access',
    remedy: expect.stringContaining('Mount'),
  });
});

test('a kernel without IPv6 has no tables for it', async () => {
  expect(await portsOf(await machine({ ipv6: false }))).toEqual([22]);
  expect(await portsOf(await machine({ ipv6: false, mounted: false, standalone: true }))).toEqual([8080]);
});

import { chmod, chown, mkdir, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createFiles } from '../../../src/host/files/files.ts';
import { isRoot } from '../../support/programs/installed.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const { signal: never } = new AbortController();

/** A VM whose files are below a folder, with these mounted there; without any, the whole folder is. */
async function vm({ mounted = [] as readonly string[] } = {}) {
  const root = await tempFolder();
  const mountinfo = mounted
    .map((path, i) => `${i + 30} 1 8:${i} / ${join(root, path)} ro - ext4 /dev/sda rw\n`)
    .join('');
  const at = (path: string) => join(root, path);
  const put = async (path: string, mode: number, uid?: number, gid?: number) => {
    await mkdir(join(at(path), '..'), { recursive: true });
    await writeFile(at(path), 'secret');
    await chmod(at(path), mode);
    if (uid !== undefined) await chown(at(path), uid, gid ?? uid);
  };
  const folder = async (path: string, mode: number) => {
    await mkdir(at(path), { recursive: true });
    await chmod(at(path), mode);
  };
  return { files: createFiles({ hostRoot: root, mountinfo: () => mountinfo }), at, put, folder };
}

test.each([0o600, 0o644, 0o4755, 0o2750, 0o000, 0o777])('a file has its mode, %o', async (mode) => {
  const { files, put } = await vm();
  await put('/etc/key', mode);
  expect(await files.inspect('/etc/key', never)).toMatchObject({ kind: 'file', mode });
});

test('a folder has its own mode, and a socket too', async () => {
  const { files, folder, at } = await vm();
  await folder('/run/aziot', 0o700);
  const server = createServer().listen(at('/run/aziot/keyd.sock'));
  onTestFinished(() => void server.close());
  await chmod(at('/run/aziot/keyd.sock'), 0o660);
  expect(await files.inspect('/run/aziot', never)).toMatchObject({ kind: 'folder', mode: 0o700 });
  expect(await files.inspect('/run/aziot/keyd.sock', never)).toMatchObject({ kind: 'other', mode: 0o660 });
  expect(await files.findPaths('/run/aziot/*.sock', never)).toEqual(['/run/aziot/keyd.sock']);
});

describe.skipIf(!isRoot)('owners (root)', () => {
  test("have the VM's names, all of them", async () => {
    const { files, put, at } = await vm();
    await put('/etc/passwd', 0o644, 0);
    await put('/etc/group', 0o644, 0);
    await writeFile(
      at('/etc/passwd'),
      'root:x:0:0::/root:/bin/sh\naziotks:x:998:996::/:\nkeys:x:998:996::/:\n',
    );
    await writeFile(at('/etc/group'), 'root:x:0:\naziotks:x:997:aziotcs\n');
    await put('/etc/key', 0o600, 998, 997);
    expect(await files.inspect('/etc/key', never)).toMatchObject({
      uid: 998,
      gid: 997,
      owners: ['aziotks', 'keys'],
      groups: ['aziotks'],
      namesKnown: { users: true, groups: true },
    });
  });

  test('have no names where the VM has none for us, but root', async () => {
    const { files, put } = await vm();
    await put('/etc/key', 0o600, 998, 0);
    expect(await files.inspect('/etc/key', never)).toMatchObject({
      owners: [],
      groups: ['root'],
      namesKnown: { users: false, groups: false },
    });
  });

  test('a folder that only its owner may enter closes what is in it', async () => {
    const { files, folder, put, at } = await vm();
    await put('/var/secrets/keyd/device-id', 0o644);
    await folder('/var/secrets/keyd', 0o700);
    await chmod(at('/'), 0o755);
    process.seteuid?.(65_532);
    try {
      const closed = {
        reason: 'not_applicable',
        message: expect.stringContaining('which only root may enter'),
      };
      await expect(files.inspect('/var/secrets/keyd/device-id', never)).rejects.toMatchObject(closed);
      await expect(files.findPaths('/var/secrets/keyd/*', never)).rejects.toMatchObject(closed);
      expect(await files.inspect('/var/secrets/keyd', never)).toMatchObject({ mode: 0o700 });
    } finally {
      process.seteuid?.(0);
    }
  });

  test('a folder that a group may enter leaves it unknown', async () => {
    const { files, folder, put, at } = await vm();
    await put('/var/secrets/keyd/device-id', 0o644);
    await folder('/var/secrets/keyd', 0o750);
    await chown(at('/var/secrets/keyd'), 0, 998);
    await chmod(at('/'), 0o755);
    process.seteuid?.(65_532);
    try {
      await expect(files.inspect('/var/secrets/keyd/device-id', never)).rejects.toMatchObject({
        reason: 'unreadable',
      });
    } finally {
      process.seteuid?.(0);
    }
  });
});

describe('a symbolic link', () => {
  test('has the mode of its target, wherever in the VM that is', async () => {
    const { files, put, at } = await vm();
    await put('/srv/real', 0o604);
    await mkdir(at('/etc'));
    await symlink('/srv/real', at('/etc/key'));
    expect(await files.inspect('/etc/key', never)).toMatchObject({ mode: 0o604, leadsTo: '/srv/real' });
  });

  test('whose target is not mounted says where it leads', async () => {
    const { files, folder, put, at } = await vm({ mounted: ['/etc'] });
    await put('/srv/real', 0o604);
    await folder('/etc', 0o755);
    await symlink('/srv/real', at('/etc/key'));
    expect(await files.inspect('/etc/key', never)).toMatchObject({ leaves: '/srv/real' });
    expect(await files.findPaths('/etc/k*', never)).toEqual(['/etc/key']);
  });

  test('without a target is unreadable', async () => {
    const { files, folder, at } = await vm();
    await folder('/etc', 0o755);
    await folder('/srv', 0o755);
    await symlink('/srv/gone', at('/etc/key'));
    await expect(files.inspect('/etc/key', never)).rejects.toMatchObject({ reason: 'unreadable' });
  });
});

describe('folders above a file', () => {
  test.each([
    [0o777, '/var/keys'],
    [0o1777, undefined],
    [0o775, undefined],
  ])('with mode %o', async (mode, openFolder) => {
    const { files, folder, put } = await vm();
    await put('/var/keys/a/key', 0o600);
    await folder('/var/keys', mode);
    expect((await files.inspect('/var/keys/a/key', never)).openFolder).toBe(openFolder);
  });

  test('that the engine made for a mount say nothing', async () => {
    const { files, folder, put } = await vm({ mounted: ['/var/keys'] });
    await put('/var/keys/key', 0o600);
    await folder('/var', 0o777);
    expect((await files.inspect('/var/keys/key', never)).openFolder).toBeUndefined();
  });
});

test('what does not exist is not found, what is not mounted is no access', async () => {
  const { files, folder } = await vm({ mounted: ['/etc'] });
  await folder('/etc', 0o755);
  await expect(files.inspect('/etc/none', never)).rejects.toMatchObject({ reason: 'not_found' });
  await expect(files.inspect('/var/none', never)).rejects.toMatchObject({ reason: 'no_access' });
});

import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { resolveInRoot } from '../../../src/host/files/root.ts';
import { tempFolder } from '../../support/temp-folder.ts';

async function machine() {
  const root = await tempFolder();
  await mkdir(join(root, 'data/certs'), { recursive: true });
  await mkdir(join(root, 'etc'));
  await writeFile(join(root, 'data/certs/a.pem'), 'x');
  await symlink('/data/certs', join(root, 'etc/absolute'));
  await symlink('../data/certs', join(root, 'etc/relative'));
  await symlink('/etc/relative/a.pem', join(root, 'etc/twice'));
  await symlink('../../../../../../etc/passwd', join(root, 'etc/escape'));
  await symlink('loop', join(root, 'etc/loop'));
  await symlink('/nowhere/at/all', join(root, 'etc/dangling'));
  return root;
}

const resolve = (root: string, path: string) => resolveInRoot(root, path);

test.each([
  ['/data/certs/a.pem', '/data/certs/a.pem'],
  ['/etc/absolute/a.pem', '/data/certs/a.pem'],
  ['/etc/relative/a.pem', '/data/certs/a.pem'],
  ['/etc/twice', '/data/certs/a.pem'],
  ['//etc/.//relative/', '/data/certs'],
  ['/etc/absolute/../certs', '/data/certs'],
  ['/../../..', ''],
  ['/', ''],
])('%s is found below the root at %s', async (path, real) => {
  const root = await machine();
  expect(await resolve(root, path)).toEqual({ root, path: root + real, existing: root + real });
});

test.each([
  ['/../../etc/passwd', '/etc/passwd', '/etc'],
  ['/data/missing/x', '/data/missing/x', '/data'],
  ['/data/certs/a.pem/x', '/data/certs/a.pem/x', '/data/certs/a.pem'],
])('%s leads to %s of this root, and no further than there is something', async (path, real, existing) => {
  const root = await machine();
  expect(await resolve(root, path)).toEqual({ root, path: root + real, existing: root + existing });
});

test.each([
  ['a link that would leave the root', '/etc/escape', '/etc/passwd', '/etc'],
  ['a link', '/etc/dangling', '/nowhere/at/all', ''],
  ['a link to a dangling one', '/etc/second', '/nowhere/at/all', ''],
  ['a path below a dangling link', '/etc/dangling/a.pem', '/nowhere/at/all/a.pem', ''],
  ['a link to something below a link', '/etc/below', '/data/certs/gone', '/data/certs'],
  ['a link with a slash at its end', '/etc/slash', '/data/gone', '/data'],
])('%s whose target does not exist is dangling', async (_, path, real, existing) => {
  const root = await machine();
  await symlink('dangling', join(root, 'etc/second'));
  await symlink('relative/gone', join(root, 'etc/below'));
  await symlink('../data/gone/', join(root, 'etc/slash'));
  expect(await resolve(root, path)).toEqual({
    root,
    path: root + real,
    existing: root + existing,
    dangling: true,
  });
});

test.each(['/etc/relative/gone', '/etc/absolute/a/b', '/etc/absolute/../gone', '/data/certs/gone'])(
  'what is missing behind a link with a target is not dangling: %s',
  async (path) => {
    const root = await machine();
    expect(await resolve(root, path)).not.toHaveProperty('dangling');
  },
);

test('links that go in circles end with ELOOP', async () => {
  const root = await machine();
  await expect(resolve(root, '/etc/loop')).rejects.toMatchObject({ code: 'ELOOP' });
});

test('a root that is a link itself is taken by its real path', async () => {
  const root = await machine();
  const folder = await tempFolder();
  await symlink(root, join(folder, 'host'));
  expect(await resolve(join(folder, 'host'), '/etc')).toMatchObject({ root, path: join(root, 'etc') });
});

test('below a root that does not exist nothing does', async () => {
  const folder = await tempFolder();
  const root = join(folder, 'host');
  expect(await resolve(root, '/etc')).toEqual({ root, path: join(root, 'etc') });
});

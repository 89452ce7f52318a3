import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { chmod, mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { createFiles } from '../../../src/host/files/files.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const signal = AbortSignal.timeout(60_000);
const certs = '/var/lib/aziot/certd/certs';

async function machine(names: readonly string[] = []) {
  const hostRoot = await tempFolder();
  for (const name of names) {
    await mkdir(join(hostRoot, dirname(name)), { recursive: true });
    await writeFile(join(hostRoot, name), 'x');
  }
  return { hostRoot, files: createFiles({ hostRoot }) };
}

const some = ['/c/b.cer', '/c/a.cer', '/c/.hidden.cer', '/c/a.pem', '/c/sub/deep.cer', '/c/sub2/deep.cer'];

test.each([
  ['/c/*', ['/c/a.cer', '/c/a.pem', '/c/b.cer']],
  ['/c/*.cer', ['/c/a.cer', '/c/b.cer']],
  ['/c/.*', ['/c/.hidden.cer']],
  ['/c/?.{cer,pem}', ['/c/a.cer', '/c/a.pem', '/c/b.cer']],
  ['/c/[!a].cer', ['/c/b.cer']],
  ['/*/sub*/deep.cer', ['/c/sub/deep.cer', '/c/sub2/deep.cer']],
  ['/c/*/*', ['/c/sub/deep.cer', '/c/sub2/deep.cer']],
  ['/c/*.der', []],
  ['/c/!(a).cer', []],
  ['/c/a.cer', ['/c/a.cer']],
  ['/c/missing.cer', []],
])('%s matches %j, in order, folders left out', async (pattern, found) => {
  const { files } = await machine(some);
  expect(await files.find(pattern, signal)).toEqual(found);
});

test('a link is matched by its own name when a regular file is at its end', async () => {
  const { hostRoot, files } = await machine(['/real/a.cer']);
  await mkdir(join(hostRoot, 'c'));
  await symlink('/real/a.cer', join(hostRoot, 'c/absolute.cer'));
  await symlink('../real', join(hostRoot, 'c/folder.cer'));
  expect(await files.find('/c/*', signal)).toEqual(['/c/absolute.cer']);
  expect(await files.read('/c/absolute.cer', signal)).toEqual(Buffer.from('x'));
});

test('a link that is swapped for a new one, as certbot does, is read where it leads now', async () => {
  const { hostRoot, files } = await machine(['/archive/cert1.pem']);
  await mkdir(join(hostRoot, 'live'));
  await writeFile(join(hostRoot, 'archive/cert2.pem'), 'new');
  await symlink('../archive/cert1.pem', join(hostRoot, 'live/cert.pem'));
  expect(await files.find('/live/*', signal)).toEqual(['/live/cert.pem']);
  await symlink('../archive/cert2.pem', join(hostRoot, 'live/.new'));
  await rename(join(hostRoot, 'live/.new'), join(hostRoot, 'live/cert.pem'));
  expect((await files.read('/live/cert.pem', signal)).toString()).toBe('new');
});

test('a link that leaves the mounts counts as a file, and reading it names what to mount', async () => {
  const { hostRoot, files } = await machine();
  await mkdir(join(hostRoot, 'c'));
  await symlink('/usr/share/ca/a.crt', join(hostRoot, 'c/a.pem'));
  expect(await files.find('/c/*', signal)).toEqual(['/c/a.pem']);
  await expect(files.read('/c/a.pem', signal)).rejects.toMatchObject({
    reason: 'no_access',
    remedy: expect.stringContaining('"Source": "/usr/share/ca/a.crt"'),
  });
});

test('"**" is refused, for it would walk a whole disk', async () => {
  const { files } = await machine(some);
  await expect(files.find('/c/**', signal)).rejects.toMatchObject({ reason: 'unreadable' });
});

test('10,000 files are found with one read of the mount table; more than 20,000 are refused rather than cut short', async () => {
  const hostRoot = await tempFolder();
  let looks = 0;
  const mountinfo = () => {
    looks += 1;
    return '';
  };
  const files = createFiles({ hostRoot, mountinfo });
  mkdirSync(join(hostRoot, 'many'));
  const make = (from: number, to: number) => {
    for (let n = from; n < to; n++) writeFileSync(join(hostRoot, 'many', `${n}.cer`), '');
  };
  make(0, 10_000);
  expect(await files.find('/many/*', signal)).toHaveLength(10_000);
  expect(looks).toBe(1);
  make(10_000, 20_001);
  await expect(files.find('/many/*', signal)).rejects.toThrow('more than 20000');
});

test('a folder that was not mounted is no_access, with the line of createOptions that would mount it', async () => {
  const { hostRoot, files } = await machine();
  const mount = `{ "Type": "bind", "Source": "${certs}", "Target": "${hostRoot}${certs}", "ReadOnly": true }`;
  await expect(files.find(`${certs}/*`, signal)).rejects.toMatchObject({
    reason: 'no_access',
    remedy: `Mount it: "HostConfig": { "Mounts": [ ${mount} ] }`,
  });
});

test('folders that exist only to mount something below them are not the VM’s', async () => {
  const { hostRoot } = await machine([`${certs}/a.cer`, '/etc/hostname']);
  const lines = ['/', `${hostRoot}${certs}`].map((at) => `1 2 3:4 / ${at} rw - ext4 /dev/x rw`);
  const files = createFiles({ hostRoot, mountinfo: () => lines.join('\n') });
  expect(await files.find(`${certs}/*`, signal)).toEqual([`${certs}/a.cer`]);
  await expect(files.read('/etc/hostname', signal)).rejects.toMatchObject({ reason: 'no_access' });
  expect(await files.canRead(certs, signal)).toBe(true);
  expect(await files.canRead('/var/lib', signal)).toBe(false);
});

test('what is missing in a folder that is there is not_found', async () => {
  const { files } = await machine(some);
  await expect(files.find('/d/*', signal)).rejects.toMatchObject({ reason: 'not_found' });
  await expect(files.read('/c/none.cer', signal)).rejects.toMatchObject({ reason: 'not_found' });
  await expect(files.read('/c/a.cer/x', signal)).rejects.toMatchObject({ reason: 'not_found' });
  expect(await files.canRead('/c/none.cer', signal)).toBe(false);
});

test('a FIFO, a folder and a device are refused without waiting for anyone to write', async () => {
  const { hostRoot, files } = await machine(some);
  execFileSync('mkfifo', [join(hostRoot, 'c/fifo')]);
  for (const path of ['/c/fifo', '/c']) {
    await expect(files.read(path, signal)).rejects.toMatchObject({
      reason: 'unreadable',
      message: `Could not read ${path}`,
      cause: new Error('it is not a regular file'),
    });
  }
  const own = createFiles({ hostRoot: '/' });
  await expect(own.read('/dev/zero', signal)).rejects.toMatchObject({ reason: 'unreadable' });
  expect(await files.find('/c/f*', signal)).toEqual([]);
});

test('1 MiB is read, and one byte more is refused with the size', async () => {
  const { hostRoot, files } = await machine();
  await writeFile(join(hostRoot, 'fits'), Buffer.alloc(1_048_576));
  await writeFile(join(hostRoot, 'large'), Buffer.alloc(10_485_760));
  await writeFile(join(hostRoot, 'larger'), Buffer.alloc(1_048_577));
  expect(await files.read('/fits', signal)).toHaveLength(1_048_576);
  await expect(files.read('/large', signal)).rejects.toMatchObject({
    cause: new Error('it has 10 MiB, the limit is 1 MiB'),
  });
  await expect(files.read('/larger', signal)).rejects.toMatchObject({ reason: 'unreadable' });
});

test('a file of size 0, as in /proc, is read to its end', async () => {
  const files = createFiles({ hostRoot: '/' });
  expect((await files.read('/proc/self/status', signal)).toString()).toContain('Name:');
});

test('links in circles are unreadable', async () => {
  const { hostRoot, files } = await machine();
  await symlink('self', join(hostRoot, 'self'));
  await expect(files.read('/self', signal)).rejects.toMatchObject({ reason: 'unreadable' });
});

test('a link that cannot be followed hides no other match, and reading it reports why', async () => {
  const { hostRoot, files } = await machine(['/c/a.pem', '/d/good/a.pem', '/d/file']);
  await symlink('loop.pem', join(hostRoot, 'c/loop.pem'));
  expect(await files.find('/c/*.pem', signal)).toEqual(['/c/a.pem', '/c/loop.pem']);

  await symlink('loop', join(hostRoot, 'd/loop'));
  await symlink('/usr/share/ca', join(hostRoot, 'd/not-given'));
  expect(await files.find('/d/*/*.pem', signal)).toEqual(['/d/good/a.pem', '/d/loop', '/d/not-given']);
  expect(await files.find('/d/*/a.pem', signal)).toContain('/d/loop/a.pem');
  for (const path of ['/c/loop.pem', '/d/loop', '/d/loop/a.pem']) {
    await expect(files.read(path, signal)).rejects.toMatchObject({
      message: `Could not read ${path}`,
      cause: { code: 'ELOOP' },
    });
  }
  await expect(files.read('/d/not-given', signal)).rejects.toMatchObject({
    remedy: expect.stringContaining('"Source": "/usr/share/ca"'),
  });
});

test('a link without a target counts as a file, and reading it names the target', async () => {
  const { hostRoot, files } = await machine(['/c/a.pem', '/d/good/a.pem']);
  await symlink('gone.pem', join(hostRoot, 'c/link.pem'));
  await symlink('/c/link.pem', join(hostRoot, 'c/second.pem'));
  await symlink('gone', join(hostRoot, 'd/link'));
  expect(await files.find('/c/*.pem', signal)).toEqual(['/c/a.pem', '/c/link.pem', '/c/second.pem']);
  expect(await files.find('/c/link.pem', signal)).toEqual(['/c/link.pem']);
  expect(await files.find('/d/*/*.pem', signal)).toEqual(['/d/good/a.pem', '/d/link']);
  expect(await files.find('/d/*/a.pem', signal)).toEqual(['/d/good/a.pem', '/d/link/a.pem']);
  for (const path of ['/c/link.pem', '/c/second.pem']) {
    await expect(files.read(path, signal)).rejects.toMatchObject({
      reason: 'not_found',
      message: `${path} leads to /c/gone.pem, which does not exist`,
      remedy: expect.stringContaining(`\`sudo namei -l ${path}\``),
    });
  }
  expect(await files.canRead('/c/link.pem', signal)).toBe(false);
});

test('a missing file in a linked folder is no match', async () => {
  const { hostRoot, files } = await machine(['/real/sub/a.pem']);
  await symlink('real', join(hostRoot, 'link'));
  expect(await files.find('/link/*/b.pem', signal)).toEqual([]);
  expect(await files.find('/link/missing.pem', signal)).toEqual([]);
  await expect(files.read('/link/missing.pem', signal)).rejects.toMatchObject({
    reason: 'not_found',
    message: '/link/missing.pem does not exist',
  });
});

test('an aborted signal ends the search with its reason', async () => {
  const { files } = await machine(some);
  const reason = new DOMException('late', 'TimeoutError');
  for (const look of [
    () => files.find('/c/*', AbortSignal.abort(reason)),
    () => files.read('/c/a.cer', AbortSignal.abort(reason)),
  ]) {
    await expect(look()).rejects.toBe(reason);
  }
});

test.skipIf(process.getuid?.() !== 0)(
  'a file that this user may not read is unreadable and names the user (needs root)',
  async () => {
    const { hostRoot, files } = await machine(['/secret/a.cer', '/locked/a.cer', '/links/a.cer']);
    await symlink('/locked/a.cer', join(hostRoot, 'links/locked.cer'));
    await chmod(hostRoot, 0o755);
    await chmod(join(hostRoot, 'secret/a.cer'), 0o600);
    await chmod(join(hostRoot, 'locked'), 0o700);
    process.seteuid?.(65532);
    try {
      await expect(files.read('/secret/a.cer', signal)).rejects.toMatchObject({
        reason: 'unreadable',
        message: expect.stringContaining('65532'),
        remedy: expect.stringContaining('`sudo chmod o+rX /secret/a.cer`'),
      });
      await expect(files.find('/locked/*', signal)).rejects.toMatchObject({ reason: 'unreadable' });

      expect(await files.find('/links/*', signal)).toEqual(['/links/a.cer', '/links/locked.cer']);
      expect(await files.find('/*/a.cer', signal)).toContain('/links/a.cer');
      expect(await files.find('/*/*.cer', signal)).toEqual([
        ...['/links/a.cer', '/links/locked.cer', '/locked', '/secret/a.cer'],
      ]);
      for (const path of ['/links/locked.cer', '/locked']) {
        await expect(files.read(path, signal)).rejects.toMatchObject({
          reason: 'unreadable',
          remedy: expect.stringContaining(path),
        });
      }
    } finally {
      process.seteuid?.(0);
    }
  },
);

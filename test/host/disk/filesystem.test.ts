import { execFileSync } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createFilesystem } from '../../../src/host/disk/filesystem.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const signal = AbortSignal.timeout(60_000);
const line = (at: string, options = 'rw', superblock = 'rw', type = 'ext4') =>
  `1 2 3:4 / ${at} ${options} - ${type} /dev/x ${superblock}`;

/** `df`'s own numbers for a path. */
function df(path: string) {
  const columns = '--output=size,used,avail,itotal,iavail';
  const [, numbers = ''] = execFileSync('df', ['-B1', columns, path], { encoding: 'utf8' })
    .trim()
    .split('\n');
  const [sizeBytes = 0, usedBytes = 0, availableBytes = 0, files = 0, filesFree = 0] = numbers
    .trim()
    .split(/\s+/)
    .map((column) => Number(column) || 0);
  return { sizeBytes, usedBytes, availableBytes, files, filesFree };
}

test.each(['/', '/dev/shm'])('the numbers for %s are those of df', async (path) => {
  const filesystem = createFilesystem({ hostRoot: '/', stateDir: '/' });
  const before = df(path);
  const seen = await filesystem(path, signal);
  const after = df(path);
  expect(seen).toMatchObject({ sizeBytes: before.sizeBytes, files: before.files, readOnly: false });
  // Others write meanwhile: ours lie between what df says before and after, give or take what came and went.
  const slack = 0.01 * before.sizeBytes;
  for (const key of ['usedBytes', 'availableBytes'] as const) {
    expect(seen[key]).toBeGreaterThanOrEqual(Math.min(before[key], after[key]) - slack);
    expect(seen[key]).toBeLessThanOrEqual(Math.max(before[key], after[key]) + slack);
  }
  expect(Math.abs(seen.filesFree - before.filesFree)).toBeLessThanOrEqual(0.01 * before.files);
});

test.each([
  [
    'a read-only view of a writable filesystem is writable',
    '/host/data',
    line('/host/data', 'ro', 'rw'),
    false,
  ],
  [
    'a read-only filesystem is read-only, however it is seen',
    '/host/data',
    line('/host/data', 'rw', 'ro'),
    true,
  ],
])('in a container, %s', async (_, mountPoint, mount, readOnly) => {
  const folder = await tempFolder();
  await mkdir(join(folder, mountPoint), { recursive: true });
  const mountinfo = () => `${line('/')}\n${mount.replace(mountPoint, join(folder, mountPoint))}`;
  const filesystem = createFilesystem({ hostRoot: join(folder, 'host'), stateDir: '/', mountinfo });
  expect(await filesystem('/data', signal)).toMatchObject({ measured: '/data', readOnly });
});

test('on the machine itself a read-only mount counts', async () => {
  const mountinfo = () => line('/', 'ro', 'rw');
  const filesystem = createFilesystem({ hostRoot: '/', stateDir: '/', mountinfo });
  expect(await filesystem('/', signal)).toMatchObject({ readOnly: true });
});

/** A host root of which only certd's folder is mounted, with a state folder on a filesystem of some type. */
async function container(stateType: string) {
  const folder = await tempFolder();
  const hostRoot = join(folder, 'host');
  const certs = join(hostRoot, 'var/lib/aziot/certd/certs');
  const stateDir = join(folder, 'state');
  await mkdir(certs, { recursive: true });
  await mkdir(stateDir);
  const mounts = [line('/'), line(certs), line(stateDir, 'rw', 'rw', stateType)];
  return {
    stateDir,
    hostRoot,
    filesystem: createFilesystem({ hostRoot, stateDir, mountinfo: () => mounts.join('\n') }),
  };
}

test.each(['/var/lib', '/var/lib/'])(
  '%s that is only scaffolding is measured by way of the state folder',
  async (path) => {
    const { filesystem, stateDir } = await container('ext4');
    expect(await filesystem(path, signal)).toMatchObject({ measured: stateDir, readOnly: false });
  },
);

test.each([
  ['/var/lib, when the state folder is in memory', '/var/lib', 'tmpfs'],
  ['any other folder', '/var', 'ext4'],
  ['a folder that is not there at all', '/data/deep', 'ext4'],
])('not measured, with what to mount: %s', async (_, path, stateType) => {
  const { filesystem, hostRoot } = await container(stateType);
  await expect(filesystem(path, signal)).rejects.toMatchObject({
    reason: 'no_access',
    remedy: expect.stringContaining(`"Source": "${path}", "Target": "${hostRoot}${path}"`),
  });
});

test('without a state folder /var/lib is no_access as well', async () => {
  const filesystem = createFilesystem({ hostRoot: '/no/such/host', stateDir: '/no/such/state' });
  await expect(filesystem('/var/lib', signal)).rejects.toMatchObject({ reason: 'no_access' });
});

test('a folder that is missing where its parent was given is not_found', async () => {
  const filesystem = createFilesystem({ hostRoot: await tempFolder(), stateDir: '/' });
  await expect(filesystem('/missing', signal)).rejects.toMatchObject({ reason: 'not_found' });
});

test('an absolute link is followed below the host root, not into the container', async () => {
  const hostRoot = await tempFolder();
  await mkdir(join(hostRoot, 'mnt/disk'), { recursive: true });
  await symlink('/mnt/disk', join(hostRoot, 'data'));
  await symlink('/proc', join(hostRoot, 'away'));
  const filesystem = createFilesystem({ hostRoot, stateDir: '/' });
  expect(await filesystem('/data', signal)).toMatchObject({ sizeBytes: df(hostRoot).sizeBytes });
  await expect(filesystem('/away', signal)).rejects.toMatchObject({ reason: 'not_found' });
});

test('concurrent measurements of one path all get an answer', async () => {
  const filesystem = createFilesystem({ hostRoot: '/', stateDir: '/' });
  const seen = await Promise.all([1, 2, 3].map(() => filesystem('/', signal)));
  expect(new Set(seen.map(({ sizeBytes }) => sizeBytes))).toEqual(new Set([df('/').sizeBytes]));
});

test('a signal that fires ends the measurement with its reason', async () => {
  const filesystem = createFilesystem({ hostRoot: '/', stateDir: '/' });
  const reason = new DOMException('late', 'TimeoutError');
  await expect(filesystem('/', AbortSignal.abort(reason))).rejects.toBe(reason);
  const stop = new AbortController();
  const look = filesystem('/', stop.signal);
  stop.abort(reason);
  await expect(look).rejects.toBe(reason);
});

test('a filesystem has the same device through every mount, and an overlay that of what it writes to', async () => {
  const folder = await tempFolder();
  for (const name of ['disk', 'again', 'over', 'nested', 'other']) await mkdir(join(folder, name));
  const overlay = (at: string, upper: string) =>
    `1 2 0:50 / ${join(folder, at)} rw - overlay overlay rw,upperdir=${join(folder, upper)}`;
  const mounts = [
    `1 2 8:1 / ${join(folder, 'disk')} rw - ext4 /dev/sda1 rw`,
    `1 2 8:1 /part ${join(folder, 'again')} rw - ext4 /dev/sda1 rw`,
    overlay('over', 'disk/upper'),
    overlay('nested', 'over/upper'),
    `1 2 8:2 / ${join(folder, 'other')} rw - xfs /dev/sda2 rw`,
  ];
  const filesystem = createFilesystem({
    hostRoot: '/',
    stateDir: '/',
    mountinfo: () => mounts.join('\n'),
  });
  const about = async (name: string) => {
    const { type, source, device } = await filesystem(join(folder, name), signal);
    return [type, source, device];
  };
  expect(await about('disk')).toEqual(['ext4', '/dev/sda1', '8:1']);
  expect(await about('again')).toEqual(['ext4', '/dev/sda1', '8:1']);
  expect(await about('over')).toEqual(['overlay', 'overlay', '8:1']);
  expect(await about('nested')).toEqual(['overlay', 'overlay', '0:50']);
  expect(await about('other')).toEqual(['xfs', '/dev/sda2', '8:2']);
});

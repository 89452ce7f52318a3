import { expect, test } from 'vitest';
import { coveringMount, isGiven, parseMountinfo } from '../../../src/host/files/mounts.ts';

const line = (mountPoint: string, options = 'rw,relatime', superblock = 'rw', type = 'ext4') =>
  `36 35 98:0 /mnt1 ${mountPoint} ${options} - ${type} /dev/root ${superblock}`;

test('a filesystem that the kernel has shut down', () => {
  expect(parseMountinfo(line('/x', 'rw', 'rw,shutdown'))).toMatchObject([{ shutDown: true }]);
  expect(parseMountinfo(line('/x', 'rw', 'rw'))).toMatchObject([{ shutDown: false }]);
});

test('optional fields, as many as there are, are passed over', () => {
  const text = [
    '36 35 98:0 /a /none rw - ext4 /dev/root rw',
    '37 35 98:0 /b /one rw master:1 - xfs /dev/root rw',
    '38 35 98:0 /c /three rw shared:7 master:1 unbindable - tmpfs - ro',
    '',
  ].join('\n');
  expect(parseMountinfo(text).map(({ mountPoint, filesystemType }) => [mountPoint, filesystemType])).toEqual([
    ['/none', 'ext4'],
    ['/one', 'xfs'],
    ['/three', 'tmpfs'],
  ]);
});

test('a mount point with a space, a tab, a newline and a backslash in it is found under its name', () => {
  const [mount] = parseMountinfo(line('/a\\040b\\011c\\012d\\134e/ü'));
  expect(mount?.mountPoint).toBe('/a b\tc\nd\\e/ü');
});

test.each([
  ['rw,relatime', 'rw,errors=remount-ro', false, false],
  ['ro,relatime', 'rw', true, false],
  ['rw', 'ro', false, true],
  ['rw', 'rw,emergency_ro', false, true],
])('a view that is %s of a filesystem that is %s', (options, superblock, readOnly, filesystemReadOnly) => {
  expect(parseMountinfo(line('/x', options, superblock))).toMatchObject([{ readOnly, filesystemReadOnly }]);
});

test.each([
  '',
  'nonsense',
  '1 2 3 4 5 6 7 8',
  '36 35 98:0 / relative rw - ext4 /dev/root rw',
  '- - - - - - -',
])('a line of another shape is left out: %s', (text) => expect(parseMountinfo(text)).toEqual([]));

test('a path lies on its nearest mount, and of two at the same place on the later one', () => {
  const mounts = parseMountinfo(
    [
      line('/'),
      line('/data', 'rw', 'rw', 'xfs'),
      line('/data/deep'),
      line('/data', 'rw', 'rw', 'tmpfs'),
    ].join('\n'),
  );
  expect(coveringMount(mounts, '/data/file')?.filesystemType).toBe('tmpfs');
  expect(coveringMount(mounts, '/data/deep/file')?.mountPoint).toBe('/data/deep');
  // No mount at /data has anything to do with its neighbour.
  expect(coveringMount(mounts, '/database')?.mountPoint).toBe('/');
});

const container = ['/', '/proc', '/dev', '/var/lib/eflow-hardening'];
const certs = '/host/var/lib/aziot/certd/certs';

test.each([
  ['the folder that was mounted', [certs], certs, true],
  ['a file in it', [certs], `${certs}/a.cer`, true],
  ['scaffolding above it', [certs], '/host/var/lib', false],
  ['the host root as scaffolding', [certs], '/host', false],
  ['a neighbour of scaffolding', [certs], '/host/etc', false],
  ['anything, the host root mounted whole', ['/host'], '/host/etc/ssh', true],
  ['scaffolding of the host root, mounted whole', ['/host', certs], '/host/var/lib', true],
  ['a mounted file', ['/host/etc/hostname'], '/host/etc/hostname', true],
  ['a folder whose name only begins alike', ['/hostile'], '/host/etc', true],
])('in a container, %s', (_, given, path, expected) => {
  const mounts = parseMountinfo([...container, ...given].map((at) => line(at)).join('\n'));
  expect(isGiven(mounts, { root: '/host', path, existing: path })).toBe(expected);
});

test.each([
  ['what exists', '/tmp/vm/var/lib', '/tmp/vm/var/lib', true],
  ['something missing in a folder that exists', '/tmp/vm/var/lib', '/tmp/vm/var', true],
  ['a folder that does not exist either', '/tmp/vm/var/lib', '/tmp/vm', false],
  ['a host root that does not exist', '/tmp/vm/var/lib', undefined, false],
])('a host root that is a plain folder: %s', (_, path, existing, expected) => {
  const mounts = parseMountinfo(line('/'));
  const resolved = { root: '/tmp/vm', path, ...(existing && { existing }) };
  expect(isGiven(mounts, resolved)).toBe(expected);
});

test('the host root / gives everything, even what is not there', () => {
  expect(isGiven([], { root: '/', path: '/no/such/thing', existing: '/' })).toBe(true);
});

test.each([
  ['/dev/sda9', line('/x'), { device: '98:0', source: '/dev/root', filesystemType: 'ext4' }],
  [
    'an overlay',
    '40 1 0:41 / /x rw - overlay overlay rw,lowerdir=/a:/b,upperdir=/var/up\\040per,workdir=/w',
    { device: '0:41', source: 'overlay', upper: '/var/up per' },
  ],
  [
    'an overlay of lower layers alone',
    '40 1 0:41 / /x ro - overlay overlay ro,lowerdir=/a:/b',
    { device: '0:41' },
  ],
])('of %s it is known what it is', (_, text, expected) => {
  const [mount] = parseMountinfo(text);
  expect(mount).toMatchObject(expected);
  expect(mount?.upper).toBe('upper' in expected ? expected.upper : undefined);
});

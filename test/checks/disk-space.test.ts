import { expect, test } from 'vitest';
import { CannotTell, type Filesystem } from '../../src/check.ts';
import { diskSpace } from '../../src/checks/disk-space.ts';
import { fakeHost } from '../support/fake-host.ts';

const { signal } = new AbortController();
const gib = 1_073_741_824;

const healthy: Filesystem = {
  measured: '/var/lib',
  sizeBytes: 100 * gib,
  usedBytes: 20 * gib,
  availableBytes: 75 * gib,
  files: 1000,
  filesFree: 900,
  readOnly: false,
};

/** A filesystem of which so much of what others than root may use is used. */
const used = (percent: number): Partial<Filesystem> => ({
  usedBytes: percent * gib,
  availableBytes: (100 - percent) * gib,
});

const examine = (given: Partial<Filesystem>, policy: object = {}) =>
  diskSpace.examine(
    { target: '/var/lib' },
    diskSpace.params.parse(policy),
    fakeHost({ filesystem: async () => ({ ...healthy, ...given }) }),
    signal,
  );

test.each([
  ['half full', used(50), 'pass', undefined],
  ['just below the warning', used(74.9), 'pass', undefined],
  ['at the warning', used(75), 'warn', 'space_low'],
  ['at the limit', used(90), 'fail', 'space_low'],
  ['full', { usedBytes: 95 * gib, availableBytes: 0 }, 'fail', 'space_low'],
  ['inodes at the warning', { filesFree: 250 }, 'warn', 'inodes_low'],
  ['inodes at the limit', { filesFree: 100 }, 'fail', 'inodes_low'],
  ['no inodes counted', { files: 0, filesFree: 0 }, 'pass', undefined],
  ['read-only', { readOnly: true }, 'fail', 'read_only'],
  ['small', { sizeBytes: 15.9 * gib }, 'warn', 'too_small'],
  ['just large enough', { sizeBytes: 16 * gib }, 'pass', undefined],
  ['small and full: the worse is told first', { ...used(90), sizeBytes: 8 * gib }, 'fail', 'space_low'],
  ['short of space, out of inodes', { ...used(80), filesFree: 0 }, 'fail', 'inodes_low'],
])('%s', async (_, given, status, reason) => {
  const verdict = await examine(given);
  expect(verdict.status).toBe(status);
  if (reason !== undefined) expect(verdict).toMatchObject({ reason, remedy: expect.stringMatching(/./) });
});

test.each([
  [
    { sizeBytes: 117.2 * gib, usedBytes: 97.4 * gib, availableBytes: 19.8 * gib },
    'Used 83.1 % of 117.2 GiB at /var/lib (19.8 GiB free)',
  ],
  [
    { ...used(80), filesFree: 0 },
    'Used 100.0 % of 1000 inodes at /var/lib; used 80.0 % of 100.0 GiB at /var/lib (20.0 GiB free)',
  ],
  [
    { readOnly: true },
    'The filesystem at /var/lib is read-only; used 21.1 % of 100.0 GiB at /var/lib (75.0 GiB free)',
  ],
  [
    { measured: '/var/lib/eflow-hardening' },
    "Used 21.1 % of 100.0 GiB at /var/lib (75.0 GiB free), measured on the agent's state volume /var/lib/eflow-hardening",
  ],
  [
    { sizeBytes: gib / 2, usedBytes: gib / 4, availableBytes: gib / 4 },
    'The filesystem at /var/lib has 512.0 MiB, less than 16 GiB; used 50.0 % of 512.0 MiB at /var/lib (256.0 MiB free)',
  ],
])('a message gives numbers, units and everything that is wrong: %j', async (given, message) => {
  expect(await examine(given)).toMatchObject({ message });
});

test('readings are those of df, and inodes are absent where none are counted', async () => {
  const value = async (given: Partial<Filesystem>) =>
    Object.fromEntries(
      ((await examine(given)).readings ?? []).map((reading) => [reading.gauge, reading.value]),
    );
  expect(await value({ readOnly: true })).toEqual({
    filesystem_size_bytes: 100 * gib,
    filesystem_available_bytes: 75 * gib,
    filesystem_files: 1000,
    filesystem_files_free: 900,
    filesystem_readonly: 1,
  });
  expect(Object.keys(await value({ files: 0 }))).toEqual([
    'filesystem_size_bytes',
    'filesystem_available_bytes',
    'filesystem_readonly',
  ]);
});

test('a filesystem without any size, such as /proc, is not judged', async () => {
  const look = examine({ sizeBytes: 0, usedBytes: 0, availableBytes: 0 });
  await expect(look).rejects.toMatchObject({ reason: 'not_applicable' });
});

test('a path that cannot be measured is told as the host tells it', async () => {
  const why = new CannotTell('no_access', 'not mounted');
  const host = fakeHost({ filesystem: () => Promise.reject(why) });
  const look = diskSpace.examine({ target: '/data' }, diskSpace.params.parse({}), host, signal);
  await expect(look).rejects.toBe(why);
});

test('a size of 0 switches the size off', async () => {
  expect(await examine({ sizeBytes: 1 }, { minSizeGiB: 0 })).toMatchObject({ status: 'pass' });
});

test('each path is a subject once, and /var/lib alone needs no mount', async () => {
  const params = diskSpace.params.parse({ paths: ['/var/lib', '/data', '/data'] });
  const subjects = await diskSpace.subjects(params, fakeHost({}), signal);
  expect(subjects.map(({ target }) => target)).toEqual(['/var/lib', '/data']);
  expect(diskSpace.needs(params)).toEqual([
    { kind: 'path', path: '/data' },
    { kind: 'path', path: '/data' },
  ]);
});

test.each([
  [{ warnUsedPercent: 95 }, 'warnUsedPercent'],
  [{ failUsedPercent: 101 }, 'failUsedPercent'],
  [{ paths: ['var/lib'] }, 'paths.0'],
  [{ paths: Array.from({ length: 33 }, (_, n) => `/${n}`) }, 'paths'],
  [{ minSizeGiB: -1 }, 'minSizeGiB'],
  [{ forecast: 1 }, ''],
])('a policy of %j is refused at %s', (policy, path) => {
  const parsed = diskSpace.params.safeParse(policy);
  expect(parsed.error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
});

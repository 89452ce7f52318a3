import { describe, expect, test } from 'vitest';
import { CannotTell } from '../../../src/check.ts';
import { diskSpace } from '../../../src/checks/disk/disk-space.ts';
import type { EngineUsage, Filesystem } from '../../../src/host/disk/types.ts';
import type { Host, Sample } from '../../../src/host.ts';
import { fakeHost, memoryOf } from '../../support/fixtures/fake-host.ts';

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

/** What nobody has seen before, on a machine whose engine does not answer. */
const noMore: Partial<Host> = { memory: memoryOf(() => []), engineUsage: async () => undefined };

const examine = (
  given: Partial<Filesystem>,
  policy: object = {},
  host: Partial<Host> = {},
  target = '/var/lib',
) =>
  diskSpace.examine(
    { target, before: [] },
    diskSpace.params.parse(policy),
    fakeHost({ filesystem: async () => ({ ...healthy, ...given }), ...noMore, ...host }),
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
  ['shut down', { failure: 'shutdown' }, 'fail', 'io_error'],
  ['unreadable, full and read-only', { ...used(95), readOnly: true, failure: 'EIO' }, 'fail', 'io_error'],
  ['small', { sizeBytes: 15.9 * gib }, 'warn', 'too_small'],
  ['just large enough', { sizeBytes: 16 * gib }, 'pass', undefined],
  ['small and full: the worse comes first', { ...used(90), sizeBytes: 8 * gib }, 'fail', 'space_low'],
  ['short of space, out of inodes', { ...used(80), filesFree: 0 }, 'fail', 'inodes_low'],
])('%s', async (_, given, status, reason) => {
  const verdict = await examine(given);
  expect(verdict.status).toBe(status);
  if (reason !== undefined) expect(verdict).toMatchObject({ reason, remedy: expect.stringMatching(/./) });
});

test.each([
  [
    { failure: 'EIO' },
    'The filesystem at /var/lib has failed: it cannot be read (EIO), only measured; used 21.1 % of 100.0 GiB at /var/lib (75.0 GiB free)',
  ],
  [
    { sizeBytes: 252 * gib, usedBytes: 25 * gib, availableBytes: 76.6 * gib },
    'Used 24.6 % of 101.6 GiB at /var/lib (76.6 GiB free, 150.4 GiB more reserved)',
  ],
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

test("a path that cannot be measured has the host's reason", async () => {
  const why = new CannotTell('no_access', 'not mounted');
  const host = fakeHost({ filesystem: () => Promise.reject(why) });
  const look = diskSpace.examine({ target: '/data', before: [] }, diskSpace.params.parse({}), host, signal);
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
  [{ forecastWarnDays: 2 }, 'forecastWarnDays'],
  [{ forecastFailDays: 31 }, 'forecastWarnDays'],
  [{ forecast: 1 }, ''],
])('a policy of %j is refused at %s', (policy, path) => {
  const parsed = diskSpace.params.safeParse(policy);
  expect(parsed.error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
});

test.each(['squashfs', 'iso9660'])(
  'a %s image, which is always full and read-only, is not judged',
  async (type) => {
    const look = examine({ type, readOnly: true, availableBytes: 0 });
    await expect(look).rejects.toMatchObject({ reason: 'not_applicable' });
  },
);

describe('several paths', () => {
  const disk = { ...healthy, device: '8:1' };
  /** What is found at each path: a filesystem, an error, or no answer. */
  type Found = Partial<Filesystem> | CannotTell | 'never';

  const examineLast = (paths: Readonly<Record<string, Found>>) => {
    const [target = '', ...before] = Object.keys(paths).toReversed();
    const filesystem = async (path: string): Promise<Filesystem> => {
      const found = paths[path] ?? 'never';
      if (found === 'never') return new Promise(() => {});
      if (found instanceof CannotTell) throw found;
      return { ...disk, ...found };
    };
    const host = fakeHost({ filesystem, ...noMore });
    const subject = { target, before: before.toReversed() };
    return diskSpace.examine(subject, diskSpace.params.parse({}), host, signal);
  };

  test.each<[string, Readonly<Record<string, Found>>, string]>([
    ['the first of two', { '/a': disk, '/b': disk }, '/a'],
    ['the first, not the nearest', { '/a': disk, '/b': disk, '/c': disk }, '/a'],
    ['a later one, where the first is another', { '/a': { device: '8:2' }, '/b': disk, '/c': disk }, '/b'],
  ])('on one filesystem are told once, at %s', async (_, paths, where) => {
    await expect(examineLast(paths)).rejects.toMatchObject({
      reason: 'not_applicable',
      message: expect.stringContaining(`same filesystem as ${where} and reported there`),
    });
  });

  test.each<[string, Readonly<Record<string, Found>>]>([
    ['another device', { '/a': { device: '8:2' }, '/b': disk }],
    ['a quota of its own', { '/a': disk, '/b': { sizeBytes: 20 * gib } }],
    ['another that cannot be measured', { '/a': new CannotTell('no_access', ''), '/b': disk }],
    ['another that does not answer', { '/a': 'never', '/b': disk }],
  ])('on %s is told', async (_, paths) => {
    expect(await examineLast(paths)).toMatchObject({ status: 'pass' });
  });
});

describe('a forecast', () => {
  const now = new Date('2026-11-21T20:30:00Z');
  /** Filling from half full since some days, so that it will be full in some more. */
  const filling = (daysBack: number, daysAhead: number): Partial<Host> => ({
    now: () => now,
    memory: memoryOf((_, value) => {
      const end = now.getTime() / 1000;
      const perSecond = (95 * gib - value) / (daysAhead * 86_400);
      return Array.from({ length: 200 }, (_, i): Sample => {
        const back = (daysBack * 86_400 * (199 - i)) / 199;
        return { at: end - back, value: value - perSecond * back };
      });
    }),
  });

  test.each([
    [4, 2.9, 'fail', 'Full about 2026-11-24 18:06 UTC, in 70 h, give or take 1 h, if this continues; used'],
    [40, 3.1, 'warn', 'Full about 2026-11-24, in 3 days, give or take 1, if this continues; used'],
    [40, 29, 'warn', 'Full about 2026-12-20, in 29 days, give or take 1, if this continues; used'],
    [
      40,
      31,
      'pass',
      'Used 52.6 % of 100.0 GiB at /var/lib (45.0 GiB free); full about 2026-12-22, in 31 days',
    ],
  ])('after %d days, of %d days more', async (back, ahead, status, message) => {
    const verdict = await examine(
      { usedBytes: 50 * gib, availableBytes: 45 * gib },
      {},
      filling(back, ahead),
    );
    expect(verdict).toMatchObject({ status, message: expect.stringContaining(message) });
    if (status !== 'pass')
      expect(verdict).toMatchObject({ reason: 'filling_up', remedy: expect.any(String) });
    const full = verdict.readings?.find(({ gauge }) => gauge === 'filesystem_full_timestamp_seconds');
    expect((full?.value ?? 0) - now.getTime() / 1000).toBeCloseTo(ahead * 86_400, -2);
  });

  test.each([[{ forecastWarnDays: 0 }], [{ forecastWarnDays: 0, forecastFailDays: 0 }]])(
    '%j disables the verdict and keeps the metric',
    async (off) => {
      const verdict = await examine({ usedBytes: 50 * gib, availableBytes: 45 * gib }, off, filling(4, 2));
      expect(verdict).toMatchObject({ status: 'pass' });
      expect(verdict.readings?.map(({ gauge }) => gauge)).toContain('filesystem_full_timestamp_seconds');
    },
  );
});

describe('the users of the space', () => {
  const nothing = { bytes: 0, unusedBytes: 0 };
  const usage: EngineUsage = {
    folder: '/var/lib/docker',
    images: { bytes: 9 * gib, unusedBytes: 6.5 * gib },
    containers: { bytes: gib / 2, unusedBytes: 0 },
    volumes: { bytes: 10 * gib, unusedBytes: gib },
    buildCache: nothing,
  };
  const answering = (given: Partial<EngineUsage> = {}): Partial<Host> => ({
    engineUsage: async () => ({ ...usage, ...given }),
  });
  const full = { ...used(80), device: '8:1' };

  test('is reported by size, with the remedy that frees the most', async () => {
    expect(await examine(full, {}, answering())).toMatchObject({
      reason: 'space_low',
      message:
        'Used 80.0 % of 100.0 GiB at /var/lib (20.0 GiB free); the container engine stores 19.5 GiB: volumes 10.0 GiB (1.0 GiB unused), images 9.0 GiB (6.5 GiB unused), containers 512.0 MiB, and logs',
      remedy: expect.stringMatching(
        /Remove unused images: `sudo docker image prune --all` \(a module that needs one later must be able to download it\)\. List the logs/,
      ),
    });
  });

  test.each([
    [
      'volumes',
      { images: nothing, volumes: { bytes: 9 * gib, unusedBytes: gib } },
      'sudo docker volume ls --filter dangling=true',
    ],
    [
      'containers',
      { images: nothing, volumes: nothing, containers: { bytes: gib, unusedBytes: gib } },
      'container prune',
    ],
    ['build cache', { buildCache: { bytes: 9 * gib, unusedBytes: 9 * gib } }, 'docker builder prune'],
    ['no single large part', { images: nothing, volumes: nothing }, 'sudo docker system df --verbose'],
  ])('where %s could go', async (_, given, remedy) => {
    const verdict = await examine(full, {}, answering(given));
    expect(verdict).toMatchObject({ remedy: expect.stringContaining(remedy) });
  });

  test.each([
    ['the filesystem passes', used(50), {}],
    ['only the size is wrong', { sizeBytes: gib }, {}],
  ])('is not asked for when %s', async (_, given, policy) => {
    const engineUsage = () => Promise.reject(new Error('asked'));
    const { message } = await examine(given, policy, { engineUsage });
    expect(message).not.toContain('engine');
  });

  test.each([
    ['does not answer', { engineUsage: async () => undefined }],
    ['fails', { engineUsage: () => Promise.reject(new Error('no')) }],
    ['stores its data elsewhere', answering({ folder: '/mnt/docker' })],
    [
      'stores its data on another disk below',
      {
        ...answering(),
        filesystem: async (path: string) => ({
          ...healthy,
          ...used(80),
          device: path === '/var/lib' ? '8:1' : '8:2',
        }),
      },
    ],
  ])('is left out when the engine %s', async (_, host) => {
    const { message, status } = await examine({ ...used(80) }, {}, { filesystem: rejecting, ...host });
    expect(status).toBe('warn');
    expect(message).not.toContain('engine');
  });

  /** Only the target can be looked at. */
  async function rejecting(path: string): Promise<Filesystem> {
    if (path !== '/var/lib') throw new CannotTell('no_access', 'not mounted');
    return { ...healthy, ...used(80), device: '8:1' };
  }

  test("is reported by path where the engine's folder cannot be examined", async () => {
    const { message } = await examine({}, {}, { filesystem: rejecting, ...answering() });
    expect(message).toContain('the container engine stores 19.5 GiB');
  });
});

test.each([
  ['/var/lib', true],
  ['/', true],
  ['/var/lib/docker', true],
  ['/data', false],
  ['/var/lib/doc', false],
])(
  "without the engine's answer, the remedy for %s names docker only where docker stores its data",
  async (target, named) => {
    const verdict = await examine(used(80), {}, {}, target);
    const docker = 'sudo docker system df --verbose';
    const remedy = named ? expect.stringContaining(docker) : expect.not.stringContaining('docker');
    expect(verdict).toMatchObject({ remedy });
  },
);

test('a path is one word of the commands in its remedies', async () => {
  expect(await examine(used(80), {}, {}, "/data/a'$(id)'b")).toMatchObject({
    remedy: expect.stringContaining(`--max-depth=2 '/data/a'\\''$(id)'\\''b' |`),
  });
});

test('what ext4 withholds besides is no reserve that tune2fs could give back', async () => {
  const sizeBytes = 128 * 1_048_576;
  const usedBytes = 0.8 * sizeBytes;
  const withheld = sizeBytes / 50;
  const disk = { type: 'ext4', source: '/dev/sda9', sizeBytes, usedBytes };
  const noReserve = await examine({ ...disk, availableBytes: sizeBytes - usedBytes - withheld });
  expect(noReserve).toMatchObject({ status: 'warn', remedy: expect.not.stringContaining('tune2fs') });
});

test('reserved blocks are reported where space is low on ext4', async () => {
  const disk = { type: 'ext4', source: '/dev/sda9', usedBytes: 80 * gib, availableBytes: 15 * gib };
  expect(await examine(disk)).toMatchObject({
    remedy: expect.stringContaining(
      '5.0 GiB more are reserved for root; reserve less with `sudo tune2fs -m 1 /dev/sda9`',
    ),
  });
  const xfs = await examine({ ...disk, type: 'xfs' });
  expect(xfs).toMatchObject({ remedy: expect.not.stringContaining('root') });
});

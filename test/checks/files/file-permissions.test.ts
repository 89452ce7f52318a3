import { expect, test } from 'vitest';
import { CannotTell } from '../../../src/check.ts';
import { filePermissions } from '../../../src/checks/files/file-permissions.ts';
import type { FileFacts } from '../../../src/host/files/types.ts';
import { fakeHost } from '../../support/fixtures/fake-host.ts';

const { signal } = new AbortController();

const file = (path: string, more: Partial<FileFacts> = {}): FileFacts => ({
  path,
  kind: 'file',
  mode: 0o600,
  uid: 998,
  gid: 997,
  modifiedAt: new Date(0),
  owners: ['aziotks'],
  groups: ['aziotks'],
  namesKnown: { users: true, groups: true },
  ...more,
});

/** The findings of one rule for a device with these files. */
async function found(rule: object, files: readonly FileFacts[], rules: readonly object[] = [rule]) {
  const params = filePermissions.params.parse({ rules });
  const host = fakeHost({
    findPaths: async () => files.map(({ path }) => path),
    inspectFile: async (path) => {
      const facts = files.find((each) => each.path === path);
      if (!facts) throw new CannotTell('not_found', `${path} does not exist`);
      return facts;
    },
  });
  const subjects = await filePermissions.subjects(params, host, signal);
  return Promise.all(
    subjects.map(async (subject) => ({
      target: subject.target,
      ...(await filePermissions.examine(subject, params, host, signal)),
    })),
  );
}

const key = '/keys/device';

test.each<[string, number, string]>([
  ['0600', 0o600, 'pass'],
  ['0600', 0o400, 'pass'],
  ['0600', 0o640, 'fail'],
  ['0600', 0o604, 'fail'],
  ['0600', 0o700, 'fail'],
  ['0600', 0o4600, 'fail'],
  ['640', 0o640, 'pass'],
  ['0755', 0o777, 'fail'],
  ['1777', 0o1777, 'pass'],
])('with maxMode %s, mode %o is %s', async (maxMode, mode, status) => {
  expect(await found({ path: key, maxMode }, [file(key, { mode })])).toMatchObject([{ target: key, status }]);
});

test('a mode that is too open is closed by the remedy, no further', async () => {
  expect(await found({ path: key, maxMode: '0640' }, [file(key, { mode: 0o664 })])).toEqual([
    {
      target: key,
      status: 'fail',
      reason: 'mode_too_open',
      message: '/keys/device has mode 0664, and 0640 is the most it may have',
      remedy: 'Close it: `sudo chmod 0640 /keys/device`',
      also: [],
    },
  ]);
});

test.each<[object, string | undefined]>([
  [{ owner: 'aziotks' }, undefined],
  [{ owner: '998' }, undefined],
  [{ owner: 'root' }, 'wrong_owner'],
  [{ owner: '0' }, 'wrong_owner'],
  [{ owner: 'aziotcs' }, 'wrong_owner'],
  [{ group: 'aziotks' }, undefined],
  [{ group: '997' }, undefined],
  [{ group: 'root' }, 'wrong_group'],
])('%j of a file of aziotks is %s', async (wanted, reason) => {
  const [finding] = await found({ path: key, ...wanted }, [file(key)]);
  expect(finding && 'reason' in finding ? finding.reason : undefined).toBe(reason);
});

test('a user with two names is either of them', async () => {
  const files = [file(key, { owners: ['keys', 'aziotks'] })];
  expect(await found({ path: key, owner: 'aziotks' }, files)).toMatchObject([{ status: 'pass' }]);
});

test("without the VM's names a mode that is too open is still told, and a right one leaves the owner open", async () => {
  const nameless = { owners: [], groups: [], namesKnown: { users: false, groups: false } };
  const rule = { path: key, maxMode: '0600', owner: 'aziotks' };
  expect(await found(rule, [file(key, { ...nameless, mode: 0o644 })])).toMatchObject([
    { status: 'fail', reason: 'mode_too_open' },
  ]);
  await expect(found(rule, [file(key, nameless)])).rejects.toMatchObject({
    reason: 'no_access',
    remedy: expect.stringContaining('/etc/passwd'),
  });
  expect(await found({ ...rule, owner: '998' }, [file(key, nameless)])).toMatchObject([{ status: 'pass' }]);
  expect(await found(rule, [file(key, { ...nameless, uid: 0, owners: ['root'] })])).toMatchObject([
    { status: 'fail', reason: 'wrong_owner', message: '/keys/device belongs to root, not to aziotks' },
  ]);
});

test('everything that is wrong with a file is told, the worst first', async () => {
  const bad = file(key, { mode: 0o666, openFolder: '/keys' });
  const [finding] = await found({ path: key, maxMode: '0600', owner: 'root', group: 'root' }, [bad]);
  expect(finding).toMatchObject({
    reason: 'mode_too_open',
    also: [{ reason: 'wrong_owner' }, { reason: 'wrong_group' }, { reason: 'writable_parent' }],
  });
});

test('a link that leads to where nothing is mounted is told, not judged', async () => {
  const link = file(key, { mode: 0o777, leaves: '/srv/key' });
  expect(await found({ path: key, maxMode: '0600' }, [link])).toMatchObject([
    { status: 'warn', reason: 'link_leaves_tree', message: expect.stringContaining('/srv/key') },
  ]);
});

test('a file that does not exist is open to nobody', async () => {
  await expect(found({ path: key, maxMode: '0600' }, [])).rejects.toMatchObject({ reason: 'not_applicable' });
});

test('a file that two rules name has one finding with what both say', async () => {
  const rules = [
    { path: key, maxMode: '0600' },
    { path: '/keys/*', owner: 'root' },
  ];
  const findings = await found({}, [file(key, { mode: 0o640 })], rules);
  expect(findings).toMatchObject([
    { target: key, reason: 'mode_too_open', also: [{ reason: 'wrong_owner' }] },
  ]);
});

test('of a thousand files those that are wrong come first, and the others are counted', async () => {
  const files = Array.from({ length: 1000 }, (_, i) =>
    file(`/keys/${i}`, { mode: i === 999 ? 0o666 : 0o600 }),
  );
  const findings = await found({ path: '/keys/*', maxMode: '0600' }, files);
  expect(findings).toHaveLength(201);
  expect(findings[0]).toMatchObject({ target: '/keys/999', status: 'fail' });
  expect(findings.at(-1)).toMatchObject({
    target: 'files',
    status: 'pass',
    message: '800 more files are right',
  });
});

test.each<[string, object]>([
  ['a mode that is no octal text', { maxMode: '0800' }],
  ['a mode that is a number', { maxMode: 600 }],
  ['a relative path', { path: 'keys', maxMode: '0600' }],
  ['nothing to compare', {}],
  ['an owner with a colon', { owner: 'a:b' }],
  ['every folder level at once', { path: '/keys/**', maxMode: '0600' }],
])('a rule with %s is refused', (_, rule) => {
  expect(filePermissions.params.safeParse({ rules: [{ path: key, ...rule }] }).success).toBe(false);
});

test('by default keys, configuration and their folders are judged', () => {
  const paths = filePermissions.params.parse({}).rules.map(({ path }) => path);
  expect(paths).toContain('/etc/aziot/config.toml');
  expect(paths).toContain('/var/lib/aziot/keyd');
  // keyd writes its own keys with mode 0644 into a folder that only it may enter.
  expect(paths.filter((path) => path.startsWith('/var/lib/aziot/keyd/'))).toEqual([]);
});

test('without any mount one finding says so', async () => {
  const refuse = async (): Promise<never> => {
    throw new CannotTell('no_access', 'It is not mounted', { remedy: 'Mount it' });
  };
  const host = fakeHost({ findPaths: refuse, inspectFile: refuse });
  const subjects = filePermissions.subjects(filePermissions.params.parse({}), host, signal);
  await expect(subjects).rejects.toMatchObject({ reason: 'no_access' });
});

import { describe, expect, test } from 'vitest';
import { CannotTell } from '../../../src/check.ts';
import { certificateExpiry } from '../../../src/checks/certificates/certificate-expiry.ts';
import type { Certificate } from '../../../src/host/certificates/types.ts';
import type { Host } from '../../../src/host.ts';
import { certificateWith, presentedWith } from '../../support/fixtures/certificates.ts';
import { fakeHost } from '../../support/fixtures/fake-host.ts';

const { signal } = new AbortController();
const now = new Date('2026-11-21T12:00:00Z');
const inDays = (days: number) => new Date(now.getTime() + days * 86_400_000);

const certificate = (subject: string, from: number, to: number): Certificate =>
  certificateWith({ subject: `CN=${subject}`, notBefore: inDays(from), notAfter: inDays(to) });

const parse = (policy: object) => certificateExpiry.params.parse(policy);
const hostWith = (given: Partial<Host>) => fakeHost({ now: () => now, ...given });

/** The findings a policy leads to, as a run would have them. */
async function run(policy: object, given: Partial<Host>) {
  const host = hostWith(given);
  const params = parse(policy);
  const subjects = await certificateExpiry.subjects(params, host, signal);
  const settled = subjects.map(async (subject) => ({
    target: subject.target,
    ...(await certificateExpiry
      .examine(subject, params, host, signal)
      .catch((error: CannotTell) => ({ status: 'cannot tell', reason: error.reason }))),
  }));
  return Promise.all(settled);
}

const file = (certificates: readonly Certificate[], policy: object = {}) =>
  run(
    { files: ['/certs/*'], endpoints: [], ...policy },
    { findFiles: async () => ['/certs/a.cer'], certificates: async () => certificates },
  );

test.each([
  ['with most of its life ahead', -10, 80, 'pass', undefined],
  ['past the part of its life at which it should be renewed', -810, 190, 'warn', 'renewal_overdue'],
  ['just before that part', -790, 210, 'pass', undefined],
  ['within the days of warning', -10, 29.9, 'warn', 'expires_soon'],
  ['at the days of warning', -10, 30, 'pass', undefined],
  ['within the days of failure', -60, 6.9, 'fail', 'expires_soon'],
  ['expired', -90, -0.1, 'fail', 'expired'],
  ['not yet valid', 0.1, 90, 'fail', 'not_yet_valid'],
])('a certificate %s', async (_, from, to, status, reason) => {
  const [finding] = await file([certificate('a', from, to)]);
  expect(finding).toMatchObject({ target: '/certs/a.cer', status, ...(reason && { reason }) });
  if (status !== 'pass') expect(finding).toMatchObject({ remedy: expect.stringMatching(/./) });
});

test('the renewal point can be another part of its life, or none', async () => {
  const old = [certificate('a', -95, 31)];
  expect(await file(old, { renewAtFraction: 0.75 })).toMatchObject([{ reason: 'renewal_overdue' }]);
  expect(await file(old, { renewAtFraction: 1 })).toMatchObject([{ status: 'pass' }]);
});

test.each([
  [[certificate('a', -1, 62.5)], 'CN=a expires in 62 days (2027-01-23)'],
  [[certificate('a', -1, 6.39)], 'CN=a expires in 6.3 days (2026-11-27)'],
  [[certificate('a', -90, -3.25)], 'CN=a expired 3.2 days ago (2026-11-18)'],
  [
    [certificate('a', 0.5, 90)],
    'CN=a is not valid until 2026-11-22T00:00:00.000Z, in 0.5 days: the clock may be behind',
  ],
  [
    [certificate('a', -820, 180)],
    'CN=a has used 82 % of its lifetime and should have been renewed at 80 %; it expires in 180 days (2027-05-20)',
  ],
  [
    [certificate('root', -1, 3000), certificate('a', -1, 3), certificate('b', -1, 9)],
    'CN=a expires in 3.0 days (2026-11-24); 2 other certificates in the file, 1 of them with problems',
  ],
  [
    [certificate('a', -1, 90), certificate('root', -1, 3000)],
    'CN=a expires in 90 days (2027-02-19); 1 other certificate in the file',
  ],
])('the message names the worst certificate, its time and the others: %#', async (certificates, message) => {
  expect(await file(certificates)).toMatchObject([{ message }]);
});

test('an expired certificate is worse than one about to expire, wherever it stands in the file', async () => {
  const soon = certificate('soon', -1, 1);
  const expired = certificate('expired', -10, -1);
  for (const certificates of [
    [soon, expired],
    [expired, soon],
  ]) {
    expect(await file(certificates)).toMatchObject([{ reason: 'expired' }]);
  }
});

test('readings are one pair a subject, of the certificate that expires first', async () => {
  const [finding] = await file([certificate('a', -1, 90), certificate('a', -2, 60), certificate('b', 0, 70)]);
  const at = (days: number) => inDays(days).getTime() / 1000;
  const notAfter = 'certificate_not_after_timestamp_seconds';
  const notBefore = 'certificate_not_before_timestamp_seconds';
  expect(finding).toMatchObject({
    readings: expect.toSatisfy((readings) => readings.length === 4),
  });
  expect(finding).toMatchObject({
    readings: expect.arrayContaining([
      { gauge: notAfter, labels: { subject: 'CN=a' }, value: at(60) },
      { gauge: notBefore, labels: { subject: 'CN=a' }, value: at(-2) },
      { gauge: notAfter, labels: { subject: 'CN=b' }, value: at(70) },
      { gauge: notBefore, labels: { subject: 'CN=b' }, value: at(0) },
    ]),
  });
});

test('a file that is named is a finding when it is missing; one that vanished after it was found is not', async () => {
  const missing: Partial<Host> = {
    findFiles: async () => ['/certs/gone.cer'],
    certificates: () => Promise.reject(new CannotTell('not_found', 'gone')),
  };
  expect(await run({ files: ['/certs/*', '/etc/own.pem'], endpoints: [] }, missing)).toMatchObject([
    { target: '/certs/gone.cer', status: 'cannot tell', reason: 'not_found' },
    {
      target: '/etc/own.pem',
      status: 'fail',
      reason: 'not_found',
      message: 'The certificate file /etc/own.pem does not exist',
      remedy: expect.stringContaining('/etc/own.pem'),
    },
  ]);
});

test('a file that is both named and matched is one subject, and stays a named one', async () => {
  const missing: Partial<Host> = {
    findFiles: async () => ['/certs/a.cer'],
    certificates: () => Promise.reject(new CannotTell('not_found', 'gone')),
  };
  for (const files of [
    ['/certs/*', '/certs/a.cer'],
    ['/certs/a.cer', '/certs/*'],
  ]) {
    expect(await run({ files, endpoints: [] }, missing)).toMatchObject([{ status: 'fail' }]);
  }
});

test('a pattern without access or without a match is one finding with the reason, and hides no other', async () => {
  const given: Partial<Host> = {
    findFiles: async (pattern) => {
      if (pattern === '/none/*') return [];
      if (pattern === '/closed/*') throw new CannotTell('no_access', 'closed');
      return ['/certs/a.cer'];
    },
    certificates: async () => [certificate('a', -1, 90)],
  };
  expect(await run({ files: ['/closed/*', '/none/*', '/certs/*'], endpoints: [] }, given)).toMatchObject([
    { target: '/closed/*', reason: 'no_access' },
    { target: '/none/*', reason: 'not_applicable' },
    { target: '/certs/a.cer', status: 'pass' },
  ]);
});

test('a pattern whose folder is missing says what to do', async () => {
  const findFiles = () => Promise.reject(new CannotTell('not_found', '/certs does not exist'));
  const host = hostWith({ findFiles });
  const [subject] = await certificateExpiry.subjects(
    parse({ files: ['/certs/*'], endpoints: [] }),
    host,
    signal,
  );
  expect(subject).toMatchObject({
    target: '/certs/*',
    why: {
      reason: 'not_found',
      message: '/certs does not exist',
      remedy: expect.stringContaining('Correct /certs/* in "files"'),
    },
  });
});

describe('private keys', () => {
  const isKey = (path: string) => path.includes('key');
  const given = (paths: readonly string[]): Partial<Host> => ({
    findFiles: async () => paths,
    certificates: async (path) => {
      if (isKey(path)) throw new CannotTell('not_applicable', `${path} is a private key`);
      return [certificate('a', -1, 90)];
    },
  });
  const found = (paths: readonly string[]) => run({ files: ['/c/*'], endpoints: [] }, given(paths));
  const many = (name: string, count: number) => Array.from({ length: count }, (_, i) => `/c/${name}${i}`);

  test('among the matches of a pattern do not apply', async () => {
    expect(await found(['/c/a.key', '/c/b.pem', '/c/c.key'])).toMatchObject([
      { target: '/c/a.key', reason: 'not_applicable' },
      { target: '/c/b.pem', status: 'pass' },
      { target: '/c/c.key', reason: 'not_applicable' },
    ]);
  });

  test('alone are not passed over in silence', async () => {
    expect(await found(['/c/a.key', '/c/b.key'])).toMatchObject([
      { target: '/c/a.key', reason: 'unreadable' },
      { target: '/c/b.key', reason: 'not_applicable' },
    ]);
    expect(await found(many('key', 101))).toMatchObject([{ target: '/c/*', reason: 'unreadable' }]);
  });

  test('among more than 100 matches are not counted', async () => {
    const paths = [...many('key', 30), ...many('cert', 80)];
    expect(await found(paths)).toMatchObject([
      { status: 'pass', message: expect.stringMatching(/^All 80 files are valid/) },
    ]);
  });

  test('that the policy names are unreadable', async () => {
    expect(await run({ files: ['/c/a.key'], endpoints: [] }, given([]))).toMatchObject([
      { target: '/c/a.key', reason: 'unreadable' },
    ]);
  });
});

test.each([
  [{ gateway: 'edge.local', iothub: 'hub.test' }, ['tls://edge.local:8883', 'tls://hub.test:443']],
  [{ gateway: 'localhost:18883', iothub: 'hub.test:8443' }, ['tls://localhost:18883', 'tls://hub.test:8443']],
  [{ gateway: '[::1]', iothub: '10.0.0.1' }, ['tls://[::1]:8883', 'tls://10.0.0.1:443']],
  [{}, ['edgehub', 'iothub']],
])('the endpoints of %j are %j', async (names, targets) => {
  const presentedChain = async () => presentedWith([certificate('server', -1, 90)]);
  const findings = await run({ files: [] }, { names, presentedChain });
  expect(findings.map(({ target }) => target)).toEqual(targets);
});

test('an endpoint is probed by its bare address', async () => {
  const asked: unknown[] = [];
  const presentedChain: Host['presentedChain'] = async (endpoint) => {
    asked.push(endpoint);
    return presentedWith([certificate('server', -1, 90)]);
  };
  await run({ files: [], endpoints: ['edgehub'] }, { names: { gateway: '[::1]:1883' }, presentedChain });
  expect(asked).toEqual([{ host: '::1', port: 1883 }]);
});

test('an endpoint without a known name does not apply', async () => {
  expect(await run({ files: [] }, {})).toMatchObject([
    { target: 'edgehub', reason: 'not_applicable' },
    { target: 'iothub', reason: 'not_applicable' },
  ]);
});

test('each place has its own remedy', async () => {
  const names = { gateway: 'gw', iothub: 'hub' };
  const given: Partial<Host> = {
    names,
    findFiles: async () => ['/certs/a.cer'],
    certificates: async () => [certificate('a', -90, -1)],
    presentedChain: async () => presentedWith([certificate('a', -90, -1)]),
  };
  expect(await run({}, given)).toMatchObject([
    { target: '/certs/a.cer', remedy: expect.stringContaining('sudo iotedge system restart') },
    { target: 'tls://gw:8883', remedy: expect.stringContaining('sudo iotedge restart edgeHub') },
    { target: 'tls://hub:443', remedy: expect.stringContaining('openssl s_client -connect hub:443') },
  ]);
});

test('a certificate of IoT Hub, which Microsoft renews, is never overdue', async () => {
  const presentedChain = async () => presentedWith([certificate('hub', -900, 100)]);
  const names = { gateway: 'gw', iothub: 'hub' };
  expect(await run({ files: [] }, { names, presentedChain })).toMatchObject([
    { target: 'tls://gw:8883', reason: 'renewal_overdue' },
    { target: 'tls://hub:443', status: 'pass' },
  ]);
});

test('it needs the folder of a pattern, a named file and the network', () => {
  const params = parse({ files: ['/certs/*/a-*.cer', '/*', '/etc/own.pem'], endpoints: ['edgehub'] });
  expect(certificateExpiry.needs(params)).toEqual([
    { kind: 'path', path: '/certs' },
    { kind: 'path', path: '/' },
    { kind: 'path', path: '/etc/own.pem' },
    { kind: 'network', what: 'TLS to edgeHub' },
  ]);
});

test.each([
  [{ warnDays: 5 }, 'warnDays'],
  [{ renewAtFraction: 0 }, 'renewAtFraction'],
  [{ renewAtFraction: 1.1 }, 'renewAtFraction'],
  [{ files: ['certs/*'] }, 'files.0'],
  [{ files: ['/certs/**'] }, 'files.0'],
  [{ files: Array.from({ length: 33 }, (_, n) => `/${n}`) }, 'files'],
  [{ endpoints: ['dps'] }, 'endpoints.0'],
  [{ warnDay: 5 }, ''],
])('a policy of %j is refused at %s', (policy, path) => {
  const parsed = certificateExpiry.params.safeParse(policy);
  expect(parsed.error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
});

test('a certificate that was overdue is right again once it is renewed', async () => {
  let current = certificate('a', -85, 15);
  const given: Partial<Host> = { certificates: async () => [current] };
  const policy = { files: ['/a.cer'], endpoints: [], warnDays: 10 };
  expect(await run(policy, given)).toMatchObject([{ reason: 'renewal_overdue' }]);
  current = certificate('a', 0, 100);
  expect(await run(policy, given)).toMatchObject([{ status: 'pass' }]);
});

test.each([
  ['a root', 'CN=Company Root', 'pass'],
  ['the authority of a quickstart installation', 'CN=aziot-edge CA device-1', 'warn'],
])('of self-signed authorities, %s past its renewal is %s: %s', async (_, subject, status) => {
  const authority = certificateWith({
    subject,
    notBefore: inDays(-900),
    notAfter: inDays(100),
    selfSigned: true,
    isCa: true,
  });
  expect(await file([authority])).toMatchObject([{ status }]);
});

test('any other server is judged by its dates, and renews at times of its own', async () => {
  const presentedChain = async () => presentedWith([certificate('est', -900, 100)]);
  const policy = { files: [], endpoints: ['tls://est.test:8085'] };
  expect(await run(policy, { presentedChain })).toMatchObject([
    { target: 'tls://est.test:8085', status: 'pass' },
  ]);
  expect(await run({ ...policy, warnDays: 200 }, { presentedChain })).toMatchObject([
    { reason: 'expires_soon', remedy: expect.stringContaining('openssl s_client -connect est.test:8085') },
  ]);
});

describe('a pattern that matches more than 100 files', () => {
  const paths = Array.from({ length: 10_000 }, (_, n) => `/certs/${String(n).padStart(5, '0')}.cer`);
  const policy = { files: ['/certs/*'], endpoints: [] };
  const many = (certificates: Host['certificates']) =>
    run(policy, { findFiles: async () => paths, certificates });
  const daysLeft = (path: string) => Number(path.slice(-9, -4));

  test('is one finding with the number of problems and the worst, each file read once', async () => {
    const read: string[] = [];
    const findings = await many(async (path) => {
      read.push(path);
      return [certificate('a', -1, 0.5 + daysLeft(path))];
    });
    expect(findings).toMatchObject([
      {
        target: '/certs/*',
        status: 'fail',
        reason: 'expires_soon',
        message:
          '30 of 10000 files have problems, the worst is /certs/00000.cer: CN=a expires in 0.5 days (2026-11-22)',
        readings: [{ value: inDays(0.5).getTime() / 1000 }, {}],
      },
    ]);
    expect(read.sort()).toEqual(paths);
  });

  test('names the only one with a problem', async () => {
    expect(await many(async (path) => [certificate('a', -1, daysLeft(path) === 7 ? 2 : 90)])).toMatchObject([
      {
        message: expect.stringMatching(
          /^1 of 10000 files has a problem, \/certs\/00007\.cer: CN=a expires in /,
        ),
      },
    ]);
  });

  test('passes when all pass, and names the first to expire', async () => {
    expect(await many(async (path) => [certificate('a', -1, 11_000 - daysLeft(path))])).toMatchObject([
      {
        status: 'pass',
        message: expect.stringMatching(
          /^All 10000 files are valid; \/certs\/09999.cer: CN=a expires in 1001 /,
        ),
        readings: [{ value: inDays(1001).getTime() / 1000 }, {}],
      },
    ]);
  });

  test('is never right when some could not be read, and wrong when others are', async () => {
    const unless = (broken: (path: string) => boolean, days: number) =>
      many(async (path) => {
        if (broken(path)) throw new CannotTell('unreadable', `${path} is broken`);
        if (daysLeft(path) === 1) throw new CannotTell('no_access', `${path} is closed`);
        return [certificate('a', -1, days)];
      });
    expect(await unless((path) => daysLeft(path) === 7, 90)).toMatchObject([
      { status: 'cannot tell', reason: 'unreadable' },
    ]);
    expect(await unless((path) => daysLeft(path) === 7, 20)).toMatchObject([
      {
        status: 'warn',
        message: expect.stringMatching(/^9998 of 10000 .*; 2 of 10000 files could not be read$/),
      },
    ]);
    expect(await unless(() => false, 90)).toMatchObject([{ reason: 'no_access' }]);
  });

  test('and one that matches 100 have separate findings', async () => {
    const given: Partial<Host> = {
      findFiles: async () => paths.slice(0, 100),
      certificates: async () => [certificate('a', -1, 90)],
    };
    expect(await run(policy, given)).toHaveLength(100);
  });
});

test('of a bundle, the twenty that expire first are in the metrics', async () => {
  const bundle = Array.from({ length: 300 }, (_, n) => certificate(`root ${n}`, -1, 1000 - n));
  const [finding] = await file(bundle);
  const soonest = inDays(701).getTime() / 1000;
  expect(finding).toMatchObject({
    status: 'pass',
    readings: expect.toSatisfy((readings) => readings.length === 40),
  });
  expect(finding).toMatchObject({
    readings: expect.arrayContaining([expect.objectContaining({ value: soonest })]),
  });
});

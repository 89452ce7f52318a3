import { expect, test } from 'vitest';
import { CannotTell, type Certificate, type Host } from '../../src/check.ts';
import { certificateExpiry } from '../../src/checks/certificate-expiry.ts';
import { certificateWith, presentedWith } from '../support/certificates.ts';
import { fakeHost } from '../support/fake-host.ts';

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

test('its renewal can be asked for at another part of its life, or not at all', async () => {
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
    'CN=a is not valid before 2026-11-22T00:00:00.000Z, 0.5 days from now: the clock may be behind',
  ],
  [
    [certificate('a', -820, 180)],
    'CN=a has lived 82 % of its life and should have been renewed at 80 %; it expires in 180 days (2027-05-20)',
  ],
  [
    [certificate('root', -1, 3000), certificate('a', -1, 3), certificate('b', -1, 9)],
    'CN=a expires in 3.0 days (2026-11-24); 2 other certificates in the file, 1 of them wrong as well',
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
      message: 'There is no certificate file /etc/own.pem',
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

test('a pattern without access or without a match is one subject that says so, and hides no other', async () => {
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

test('an endpoint is asked by its bare address', async () => {
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

test('what Microsoft renews for IoT Hub is nobody’s overdue renewal here', async () => {
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

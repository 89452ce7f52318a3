import { describe, expect, test } from 'vitest';
import { CannotTell } from '../../../src/check.ts';
import { certificateChain } from '../../../src/checks/certificates/certificate-chain.ts';
import type { Certificate, PresentedChain } from '../../../src/host/certificates/types.ts';
import type { Host } from '../../../src/host.ts';
import { certificateWith, presentedWith } from '../../support/fixtures/certificates.ts';
import { fakeHost } from '../../support/fixtures/fake-host.ts';

const { signal } = new AbortController();
const names = { gateway: 'gw.test', iothub: 'hub.azure-devices.net' };

/** The findings a policy leads to, as a run would have them. */
async function run(policy: object, given: Partial<Host>) {
  const host = fakeHost({ names, ...given });
  const params = certificateChain.params.parse(policy);
  const subjects = await certificateChain.subjects(params, host, signal);
  const settled = subjects.map(async (subject) => ({
    target: subject.target,
    ...(await certificateChain
      .examine(subject, params, host, signal)
      .catch(({ reason, message }: CannotTell) => ({ status: 'cannot tell', reason, message }))),
  }));
  return Promise.all(settled);
}

const inFile = async (certificates: readonly Certificate[]) =>
  (await run({ files: ['/a.pem'], endpoints: [] }, { certificates: async () => certificates }))[0];

const onWire = async (chain: PresentedChain, endpoint = 'edgehub') =>
  (await run({ files: [], endpoints: [endpoint] }, { presentedChain: async () => chain }))[0];

/** `signer` is the place of the issuer in the same list. */
const leaf = (signer?: number, given: Partial<Certificate> = {}) =>
  certificateWith({ subject: 'CN=leaf', issuer: 'CN=ca', ...at(signer), ...given });
const ca = (signer?: number, given: Partial<Certificate> = {}) =>
  certificateWith({ subject: 'CN=ca', issuer: 'CN=root', isCa: true, ...at(signer), ...given });
const root = (signer: number, given: Partial<Certificate> = {}) =>
  certificateWith({ subject: 'CN=root', issuer: 'CN=root', isCa: true, selfSigned: true, signer, ...given });
const at = (signer?: number) => (signer === undefined ? {} : { signer });
const other = (place: number) => root(place, { subject: 'CN=other', issuer: 'CN=other' });

describe('a file', () => {
  test.each([
    ['with one certificate', [leaf()]],
    ['with one root', [root(0)]],
    ['with a whole chain', [leaf(1), ca(2), root(2)]],
    ['with a chain but its root', [leaf(1), ca()]],
    ['with two chains', [leaf(1), ca(2), root(2), leaf(4), ca(2)]],
    ['with a leaf after the chain it shares', [leaf(1), ca(), leaf(1, { subject: 'CN=second' })]],
    ['with several roots', [root(0), other(1), root(2, { subject: 'CN=third', issuer: 'CN=third' })]],
    [
      'with leaves that have nothing in common',
      [leaf(), leaf(undefined, { subject: 'CN=b', issuer: 'CN=x' })],
    ],
    ['with authorities of a trust bundle that have nothing in common', [ca(), other(1)]],
    ['with a leaf that signed itself', [leaf(0, { issuer: 'CN=leaf', selfSigned: true })]],
  ])('%s is right', async (_, certificates) => {
    expect(await inFile(certificates)).toMatchObject({ status: 'pass' });
  });

  test.each([
    ['wrong_order', 'fail', [root(0), ca(0), leaf(1)]],
    ['wrong_order', 'fail', [leaf(2), root(1), ca(1)]],
    ['wrong_order', 'fail', [ca(), leaf(0)]],
    ['wrong_order', 'warn', [root(0), ca(0)]],
    ['broken_link', 'fail', [leaf(), ca()]],
    ['broken_link', 'fail', [leaf(undefined, { issuer: 'CN=elsewhere' }), ca()]],
    ['broken_link', 'fail', [leaf(1), ca(), other(2)]],
    ['not_a_ca', 'fail', [leaf(1), ca(2, { isCa: false }), root(2)]],
    ['path_too_long', 'fail', [leaf(1), ca(2), root(2, { pathLength: 0 })]],
    ['path_too_long', 'fail', [ca(1), root(1, { pathLength: 0 })]],
    ['key_usage', 'fail', [leaf(1), ca(2, { keyUsage: ['digitalSignature'] }), root(2)]],
    ['key_usage', 'fail', [ca(undefined, { keyUsage: ['cRLSign'] })]],
    ['weak_key', 'warn', [leaf(undefined, { keyType: 'rsa', keyBits: 1024 })]],
    ['weak_key', 'warn', [leaf(undefined, { keyType: 'ec', keyBits: 224 })]],
    ['weak_signature', 'warn', [leaf(undefined, { signatureHash: 'SHA-1' })]],
    ['weak_signature', 'warn', [leaf(undefined, { signatureHash: 'MD5' })]],
    ['quickstart_ca', 'warn', [root(0, { subject: 'CN=aziot-edge CA device-1' })]],
    ['quickstart_ca', 'warn', [root(0, { subject: 'CN=iotedged workload ca host-1' })]],
  ])('%s: %s', async (reason, status, certificates) => {
    expect(await inFile(certificates)).toMatchObject({ status, reason, remedy: expect.stringMatching(/./) });
  });

  test.each([
    ['a weak signature of a root, which is not checked', [root(0, { signatureHash: 'SHA-1' })]],
    ['a key without a size', [leaf(undefined, { keyType: 'ed25519', keyBits: undefined as never })]],
    [
      'an authority over EST, named as the quickstart one is',
      [ca(undefined, { subject: 'CN=aziot-edge CA d' })],
    ],
    ['a path as long as it may be', [leaf(1), ca(2, { pathLength: 0 }), root(2, { pathLength: 1 })]],
    ['a client certificate', [leaf(undefined, { extendedKeyUsage: ['1.3.6.1.5.5.7.3.2'] })]],
  ])('%s is right', async (_, certificates) => {
    expect(await inFile(certificates)).toMatchObject({ status: 'pass' });
  });

  test.each([
    ['rsa', 2048],
    ['rsa-pss', 2048],
    ['dsa', 2048],
    ['ec', 256],
  ])('a key of type %s needs %i bits', async (keyType, least) => {
    const withBits = (keyBits: number) => inFile([leaf(undefined, { keyType, keyBits })]);
    expect(await withBits(least)).toMatchObject({ status: 'pass' });
    expect(await withBits(least - 1)).toMatchObject({ status: 'warn', reason: 'weak_key' });
  });

  test('reports the worst problem by name and position, and counts the others', async () => {
    const weak = { keyType: 'rsa', keyBits: 1024, signatureHash: 'SHA-1' };
    expect(await inFile([root(0), ca(0), leaf(1, weak)])).toMatchObject({
      message:
        'CN=ca is at position 2 and its issuer CN=root at position 1: each certificate must be followed by its issuer; 2 other problems: weak_key, weak_signature',
      remedy: expect.stringContaining('openssl crl2pkcs7 -nocrl -certfile /a.pem'),
    });
  });

  test('is a finding when it is named and missing', async () => {
    const certificates = () => Promise.reject(new CannotTell('not_found', 'gone'));
    const [finding] = await run({ files: ['/a.pem'], endpoints: [] }, { certificates });
    expect(finding).toMatchObject({ status: 'fail', reason: 'not_found' });
  });
});

describe('a presented chain', () => {
  test('that is complete, trusted and valid for the requested name passes', async () => {
    expect(await onWire(presentedWith([leaf(1), ca()]))).toMatchObject({
      target: 'tls://gw.test:8883',
      status: 'pass',
    });
  });

  test.each([
    ['name_mismatch', 'fail', presentedWith([leaf()], { namesHost: false })],
    ['untrusted_root', 'fail', { certificates: [leaf()], namesHost: true }],
    ['key_usage', 'fail', presentedWith([leaf(undefined, { extendedKeyUsage: ['1.3.6.1.5.5.7.3.2'] })])],
    ['not_a_ca', 'fail', presentedWith([leaf(1), ca(undefined, { isCa: false })])],
    ['path_too_long', 'fail', presentedWith([leaf(1), ca()], { authority: root(0, { pathLength: 0 }) })],
    ['weak_key', 'warn', presentedWith([leaf(undefined, { keyType: 'rsa', keyBits: 1024 })])],
    [
      'quickstart_ca',
      'warn',
      presentedWith([leaf()], { authority: root(0, { subject: 'CN=aziot-edge CA d' }) }),
    ],
  ])('%s: %s', async (reason, status, chain) => {
    expect(await onWire(chain)).toMatchObject({ status, reason, remedy: expect.stringMatching(/./) });
  });

  test.each(['1.3.6.1.5.5.7.3.1', '2.5.29.37.0'])('may be used by a server by %s', async (usage) => {
    const used = leaf(undefined, { extendedKeyUsage: ['1.3.6.1.5.5.7.3.2', usage] });
    expect(await onWire(presentedWith([used]))).toMatchObject({ status: 'pass' });
  });

  test('of edgeHub for another name has the setting to change', async () => {
    const named = leaf(undefined, { subjectAltNames: ['DNS:old.test', 'IP Address:10.0.0.1'] });
    expect(await onWire(presentedWith([named], { namesHost: false }))).toMatchObject({
      message: 'The certificate is for DNS:old.test, IP Address:10.0.0.1, not for gw.test',
      remedy: expect.stringContaining('hostname'),
    });
  });

  test('that leads nowhere is no fault while the trust bundle cannot be read, but other faults are', async () => {
    const chain = {
      certificates: [leaf()],
      namesHost: true,
      trustProblem: 'the trust bundle could not be read',
    };
    expect(await onWire(chain)).toMatchObject({ status: 'cannot tell', reason: 'unreadable' });
    expect(await onWire({ ...chain, namesHost: false })).toMatchObject({ reason: 'name_mismatch' });
  });

  // DigiCert Global Root G2, as learn.microsoft.com/azure/security/fundamentals/azure-ca-details has it.
  const digicert = root(0, {
    subject: 'C=US, O=DigiCert Inc, OU=www.digicert.com, CN=DigiCert Global Root G2',
    fingerprint256: 'cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f',
  });

  test('of IoT Hub leads to a root of Azure, or a proxy opens TLS on the way, trusted or not', async () => {
    const chain = [leaf(1), ca()];
    expect(await onWire(presentedWith(chain, { authority: digicert }), 'iothub')).toMatchObject({
      target: 'tls://hub.azure-devices.net:443',
      status: 'pass',
    });
    const forged = { ...digicert, fingerprint256: 'f'.repeat(64) };
    for (const authority of [root(0), forged]) {
      expect(await onWire(presentedWith(chain, { authority }), 'iothub')).toMatchObject({
        status: 'fail',
        reason: 'intercepted',
      });
    }
    expect(await onWire({ certificates: chain, namesHost: true }, 'iothub')).toMatchObject({
      reason: 'intercepted',
      message:
        'The chain leads to CN=root, which is not a root that IoT Hub uses: TLS is intercepted on the way',
    });
  });

  test('of IoT Hub under a root of Azure that this device lacks is untrusted, not intercepted', async () => {
    const chain = [leaf(1), ca(undefined, { issuer: digicert.subject })];
    expect(await onWire({ certificates: chain, namesHost: true }, 'iothub')).toMatchObject({
      reason: 'untrusted_root',
    });
  });

  test('of any other server is requested by its name', async () => {
    const asked: unknown[] = [];
    const presentedChain: Host['presentedChain'] = async (endpoint) => {
      asked.push(endpoint);
      return presentedWith([leaf()]);
    };
    const findings = await run(
      {
        files: [],
        endpoints: ['tls://est.test:8085', 'tls://{gateway}:8883', 'edgehub', 'tls://{device}:1'],
      },
      { presentedChain },
    );
    expect(findings).toMatchObject([
      { target: 'tls://est.test:8085', status: 'pass' },
      { target: 'tls://gw.test:8883', status: 'pass' },
      { target: 'tls://{device}:1', reason: 'not_applicable' },
    ]);
    expect(asked).toEqual([
      { host: 'est.test', port: 8085 },
      { host: 'gw.test', port: 8883 },
    ]);
  });

  test('that cannot be had is unreachable', async () => {
    const presentedChain = () => Promise.reject(new CannotTell('unreachable', 'refused'));
    const findings = await run({ files: [] }, { presentedChain });
    expect(findings).toMatchObject([{ status: 'cannot tell', reason: 'unreachable' }]);
  });
});

test.each([
  [{ endpoints: ['dps'] }, '"dps" must be edgehub'],
  [{ endpoints: ['tls://host'] }, 'has no port'],
  [{ endpoints: ['tls://{hub}:1'] }, 'unknown placeholder {hub}'],
  [{ endpoints: ['https://host/'] }, 'must be edgehub, iothub or tls://host:port'],
])('a policy of %j is refused', (policy, words) => {
  const parsed = certificateChain.params.safeParse(policy);
  expect(parsed.error?.issues.map(({ message }) => message).join()).toContain(words.replace('"dps" ', ''));
});

import { describe, expect, test } from 'vitest';
import { CannotTell } from '../../../src/check.ts';
import { certificateChain } from '../../../src/checks/certificates/certificate-chain.ts';
import type { Certificate, GeneralName, PresentedChain } from '../../../src/host/certificates/types.ts';
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
const clientOnly = { extendedKeyUsage: ['1.3.6.1.5.5.7.3.2'] };
const serverOnly = { extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'] };
const legacyRoot = root(0, { isCa: false, isLegacyCa: true });
const named = (kind: GeneralName['kind'], value: string, given: Partial<Certificate> = {}) =>
  leaf(undefined, { constrainedNames: [{ kind, value }], ...given });
const permits = (kind: GeneralName['kind'], value: string) => ({
  permitted: [{ kind, value }],
  excluded: [],
});
const excludes = (kind: GeneralName['kind'], value: string) => ({
  permitted: [],
  excluded: [{ kind, value }],
});
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
    ['with a version 1 root', [leaf(1), { ...legacyRoot, signer: 1 }]],
    ['with a leaf twice', [leaf(2), leaf(2), ca()]],
    ['with a CA twice', [leaf(1), ca(3), ca(3), root(3)]],
    ['with an old and a renewed CA', [leaf(1), ca(3), ca(3, { fingerprint256: 'renewed' }), root(3)]],
    ['with an old CA before the new one', [leaf(2), ca(3, { fingerprint256: 'old' }), ca(3), root(3)]],
    ['with a cross-signed CA', [leaf(1), ca(), ca(3, { issuer: 'CN=other' }), other(3)]],
    ['with a CA that also serves', [ca(undefined, { keyUsage: ['digitalSignature'] })]],
    ['with a leaf for clients below a CA for clients', [leaf(1, clientOnly), ca(undefined, clientOnly)]],
    ['with a leaf for signing code', [leaf(undefined, { extendedKeyUsage: ['1.3.6.1.5.5.7.3.3'] })]],
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
    ['not_a_ca', 'fail', [leaf(1), ca(2, { isCa: false, isLegacyCa: true }), root(2)]],
    ['key_usage', 'fail', [leaf(1, serverOnly), ca(undefined, clientOnly)]],
    ['key_usage', 'fail', [leaf(undefined, { keyUsage: ['keyCertSign'] })]],
    ['key_usage', 'fail', [leaf(undefined, { keyUsage: ['keyEncipherment'], ...clientOnly })]],
    ['critical_extension', 'fail', [leaf(undefined, { unsupportedCritical: ['1.2.3.4'] })]],
    ['critical_extension', 'fail', [leaf(1), ca(undefined, { unsupportedCritical: ['1.2.3.4'] })]],
    ['broken_link', 'fail', [leaf(1, { subject: 'CN=ca', hasWrongNamesake: true }), ca()]],
    ['wrong_order', 'warn', [leaf(2, { hasWrongNamesake: true }), ca(), ca()]],
    ['wrong_order', 'fail', [leaf(2), other(1), ca()]],
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

  const a1 = '0a010203';
  test.each<[GeneralName['kind'], string, string, boolean]>([
    ['dns', 'gw.test', 'test', true],
    ['dns', 'GW.test', 'gw.TEST', true],
    ['dns', 'gw.test', '.test', true],
    ['dns', 'test', '.test', false],
    ['dns', 'gwtest', 'test', false],
    ['dns', 'gw.test', '', true],
    ['ip', a1, '0a000000ff000000', true],
    ['ip', a1, '0b000000ff000000', false],
    ['ip', a1, '0'.repeat(64), false],
    ['email', 'root@a.test', 'a.test', true],
    ['email', 'root@b.a.test', 'a.test', false],
    ['email', 'root@b.a.test', '.a.test', true],
    ['email', 'root@a.test', 'root@A.test', true],
    ['email', 'Root@a.test', 'root@a.test', false],
    ['uri', 'https://a.test:1/x', 'a.test', true],
    ['uri', 'https://a.test/x', '.test', true],
    ['uri', 'https://a.test/x', 'test', false],
    ['directory', 'a=1\nb=2\n', 'a=1\n', true],
    ['directory', 'a=12\n', 'a=1\n', false],
  ])('name constraints: %s %s is below %s: %s', async (kind, name, base, below) => {
    const leafBelow = named(kind, name, { signer: 1 });
    const permitted = await inFile([leafBelow, ca(undefined, { nameConstraints: permits(kind, base) })]);
    const excluded = await inFile([leafBelow, ca(undefined, { nameConstraints: excludes(kind, base) })]);
    const fails = { status: 'fail', reason: 'name_constraints' };
    expect(permitted).toMatchObject(below ? { status: 'pass' } : fails);
    expect(excluded).toMatchObject(below ? fails : { status: 'pass' });
  });

  test('name constraints of one kind do not limit names of another, and a kind that cannot be compared is refused', async () => {
    const below = async (kind: GeneralName['kind'], nameConstraints: ReturnType<typeof permits>) =>
      inFile([named(kind, '1.2.3', { signer: 1 }), ca(undefined, { nameConstraints })]);
    expect(await below('dns', permits('ip', '0a000000ff000000'))).toMatchObject({ status: 'pass' });
    expect(await below('other', permits('other', '1.2.3'))).toMatchObject({ reason: 'name_constraints' });
    expect(await below('other', permits('other', '1.2.4'))).toMatchObject({ status: 'pass' });
  });

  test('with more names than can be compared is unreadable, not right', async () => {
    const many = Array.from({ length: 400 }, (_, i) => ({ kind: 'dns' as const, value: `${i}.test` }));
    const nameConstraints = { permitted: many, excluded: [] };
    const finding = await inFile([leaf(1, { constrainedNames: many }), ca(undefined, { nameConstraints })]);
    expect(finding).toMatchObject({ status: 'cannot tell', reason: 'unreadable' });
  });

  test('with more signatures than are checked is unreadable, unless something is wrong anyway', async () => {
    const unchecked = leaf(undefined, { signerUnknown: true });
    expect(await inFile([unchecked, ca()])).toMatchObject({ status: 'cannot tell', reason: 'unreadable' });
    expect(await inFile([unchecked, ca(undefined, { keyUsage: ['cRLSign'] })])).toMatchObject({
      reason: 'key_usage',
    });
  });

  test('whose dates are over passes, and the message says who reports them', async () => {
    const old = leaf(undefined, { notAfter: new Date('2026-02-01T00:00:00Z') });
    expect(await inFile([old])).toMatchObject({
      status: 'pass',
      message: 'CN=leaf: nothing wrong but the dates, which certificateExpiry reports',
    });
  });

  test('reports the worst problem by name and position, and counts the others', async () => {
    const weak = { keyType: 'rsa', keyBits: 1024, signatureHash: 'SHA-1' };
    expect(await inFile([root(0), ca(0), leaf(1, weak)])).toMatchObject({
      message:
        'CN=ca is at position 2 and its issuer CN=root at position 1: each certificate must be followed by its issuer; 2 other problems: weak_key, weak_signature',
      remedy: expect.stringContaining('openssl crl2pkcs7 -nocrl -certfile /a.pem'),
    });
  });

  test('counts a single other problem in the singular', async () => {
    expect(await inFile([root(0), ca(0), leaf(1, { signatureHash: 'SHA-1' })])).toMatchObject({
      message: expect.stringMatching(/; 1 other problem: weak_signature$/),
    });
  });

  test('with a name that a shell would expand is quoted in the remedy', async () => {
    const path = "/c/a'$(id)'b.pem";
    const given = { findFiles: async () => [path], certificates: async () => [leaf(), ca()] };
    expect(await run({ files: ['/c/*'], endpoints: [] }, given)).toMatchObject([
      { remedy: expect.stringContaining(`-certfile '/c/a'\\''$(id)'\\''b.pem' |`) },
    ]);
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

  test.each([
    ['serverAuth', '1.3.6.1.5.5.7.3.1', 'pass'],
    ['server gated cryptography', '1.3.6.1.4.1.311.10.3.3', 'pass'],
    // OpenSSL does not take it for serverAuth.
    ['any use', '2.5.29.37.0', 'fail'],
  ])('for clients and %s: %s', async (_, usage, status) => {
    const used = leaf(undefined, { extendedKeyUsage: ['1.3.6.1.5.5.7.3.2', usage] });
    expect(await onWire(presentedWith([used]))).toMatchObject({ status });
  });

  test.each([
    ['a trusted version 1 root', presentedWith([leaf(1), ca()], { authority: legacyRoot })],
    [
      'a version 1 root that is sent',
      presentedWith([leaf(1), { ...legacyRoot, signer: 1 }], { authority: legacyRoot }),
    ],
    [
      'a CA as the server’s own certificate',
      presentedWith([leaf(undefined, { isCa: true, keyUsage: ['digitalSignature'] })]),
    ],
    [
      'a CA with a path length of 0 above a leaf that is a CA',
      presentedWith([leaf(undefined, { isCa: true })], { authority: root(0, { pathLength: 0 }) }),
    ],
    ['an unsuitable CA beside the path', presentedWith([leaf(), other(1), ca(1, { isCa: false })])],
  ])('with %s passes', async (_, chain) => {
    expect(await onWire(chain)).toMatchObject({ status: 'pass' });
  });

  test.each([
    ['untrusted_root', { authority: ca() }, [leaf()]],
    ['key_usage', {}, [leaf(undefined, { keyUsage: ['keyCertSign'] })]],
    ['key_usage', {}, [leaf(1), ca(undefined, { extendedKeyUsage: ['1.3.6.1.5.5.7.3.2'] })]],
    ['key_usage', { authority: root(0, { extendedKeyUsage: ['2.5.29.37.0'] }) }, [leaf()]],
    ['not_a_ca', { authority: root(0, { isCa: false }) }, [leaf()]],
    ['critical_extension', {}, [leaf(undefined, { unsupportedCritical: ['1.2.3.4'] })]],
    [
      'name_constraints',
      { authority: root(0, { nameConstraints: permits('dns', 'gw.org') }) },
      [named('dns', 'gw.test')],
    ],
    ['broken_link', {}, [leaf(1, { subject: 'CN=ca', hasWrongNamesake: true }), ca()]],
  ])('%s fails: %j', async (reason, given, certificates) => {
    expect(await onWire(presentedWith(certificates, given))).toMatchObject({ status: 'fail', reason });
  });

  describe('that the TLS library of this device rejects', () => {
    const rejected = (code: string) => ({
      verification: { accepted: false as const, code, clause: 'its chain is wrong' },
    });

    test.each([
      ['INVALID_PURPOSE', 'key_usage'],
      ['PATH_LENGTH_EXCEEDED', 'path_too_long'],
      ['UNABLE_TO_GET_ISSUER_CERT', 'untrusted_root'],
      ['CERT_SIGNATURE_FAILURE', 'broken_link'],
      ['UNSPECIFIED', 'rejected'],
      ['A_NEW_CODE', 'rejected'],
    ])('with %s fails as %s, even if nothing else explains it', async (code, reason) => {
      expect(await onWire(presentedWith([leaf(1), ca()], rejected(code)))).toMatchObject({
        status: 'fail',
        reason,
        message: `TLS on this device rejects the certificate of CN=leaf: its chain is wrong (${code})`,
      });
    });

    test('fails once, for the problem that explains it', async () => {
      const client = leaf(undefined, { extendedKeyUsage: ['1.3.6.1.5.5.7.3.2'] });
      const finding = await onWire(presentedWith([client], rejected('INVALID_PURPOSE')));
      expect(finding).toMatchObject({ reason: 'key_usage', also: [] });
      const elsewhere = presentedWith([client], { ...rejected('INVALID_PURPOSE'), namesHost: false });
      expect(await onWire(elsewhere)).toMatchObject({ also: [{ reason: 'key_usage' }] });
    });

    test('for a weak key or signature fails for that', async () => {
      const weak = leaf(undefined, { signatureHash: 'SHA-1' });
      expect(await onWire(presentedWith([weak], rejected('UNSPECIFIED')))).toMatchObject({
        status: 'fail',
        reason: 'weak_signature',
        also: [],
      });
    });

    test('for its dates passes, and the message says who reports them', async () => {
      const old = leaf(undefined, { notAfter: new Date('2026-02-01T00:00:00Z') });
      expect(await onWire(presentedWith([old], rejected('CERT_HAS_EXPIRED')))).toMatchObject({
        status: 'pass',
        message: 'CN=leaf: nothing wrong but the dates, which certificateExpiry reports',
      });
    });

    test('for the dates of a root that it does not send fails', async () => {
      expect(await onWire(presentedWith([leaf()], rejected('CERT_HAS_EXPIRED')))).toMatchObject({
        status: 'fail',
        reason: 'untrusted_root',
      });
    });

    test('for an unknown issuer is no fault while the trust bundle cannot be read', async () => {
      const chain = { certificates: [leaf()], namesHost: true, trustProblem: 'no workload API' };
      const code = 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY';
      expect(await onWire({ ...chain, ...rejected(code) })).toMatchObject({ reason: 'unreadable' });
    });
  });

  test('that the TLS library of this device accepts fails only for its order, names or interception', async () => {
    const accepted = { verification: { accepted: true as const } };
    const odd = presentedWith([leaf(undefined, { unsupportedCritical: ['1.2.3.4'] })], accepted);
    expect(await onWire(odd)).toMatchObject({
      status: 'warn',
      message: expect.stringMatching(/; TLS on this device accepts the chain$/),
    });
    const unsorted = presentedWith([leaf(2), root(1), ca(1)], accepted);
    expect(await onWire(unsorted)).toMatchObject({ status: 'fail', reason: 'wrong_order' });
    const { authority: _, ...unfound } = presentedWith([leaf()], { ...accepted, trustProblem: 'one of 200' });
    expect(await onWire(unfound)).toMatchObject({ status: 'pass' });
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
    // A chain with more names than are compared must not hide it.
    const constrainedNames = Array.from(
      { length: 400 },
      (_, i) => ({ kind: 'dns', value: `${i}.test` }) as const,
    );
    const nameConstraints = { permitted: constrainedNames, excluded: [] };
    const huge = [leaf(1, { constrainedNames }), ca(undefined, { nameConstraints })];
    expect(await onWire(presentedWith(huge, { authority: forged }), 'iothub')).toMatchObject({
      status: 'fail',
      reason: 'intercepted',
    });
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
  [{ endpoints: ['dps'] }, 'must be edgehub'],
  [{ endpoints: ['tls://host'] }, 'has no port'],
  [{ endpoints: ['tls://{hub}:1'] }, 'unknown placeholder {hub}'],
  [{ endpoints: ['https://host/'] }, 'must be edgehub, iothub or tls://host:port'],
])('a policy of %j is refused', (policy, words) => {
  const parsed = certificateChain.params.safeParse(policy);
  expect(parsed.error?.issues.map(({ message }) => message).join()).toContain(words);
});

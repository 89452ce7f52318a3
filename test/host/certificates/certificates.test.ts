import { createHash, X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createRoot, type Issued } from '../../../simulator/workload/pki.ts';
import { CannotTell } from '../../../src/check.ts';
import { describeError } from '../../../src/errors.ts';
import { createCertificates, parseCertificates } from '../../../src/host/certificates/certificates.ts';
import { describeCertificates } from '../../../src/host/certificates/describe-certificate.ts';
import { createFiles } from '../../../src/host/files/files.ts';
import { createSignatureChecks, maxSignatureChecks } from '../../../src/host/tls/signature-checks.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const signal = AbortSignal.timeout(60_000);
const root = await createRoot({ commonName: 'root', notAfter: new Date('2036-01-01T00:00:00Z') });
const authority = await root.issue({ commonName: 'edge ca', ca: true });
const leaf = await authority.issue({
  commonName: 'edgehub',
  notBefore: new Date('2026-01-02T03:04:05Z'),
  notAfter: new Date('2026-04-02T03:04:05Z'),
});
const der = (issued: Issued) => Buffer.from(new X509Certificate(issued.certificate).raw);
const subjects = (bytes: string | Buffer) => {
  const found = parseCertificates(Buffer.from(bytes));
  return typeof found === 'string' ? found : found.map(({ subject }) => subject);
};
const described = (...pems: readonly string[]) =>
  describeCertificates(
    pems.map((pem) => new X509Certificate(pem)),
    createSignatureChecks(),
  );

test('a certificate is described as plain data', async () => {
  expect(await described(leaf.certificate)).toEqual([
    {
      subject: 'CN=edgehub',
      issuer: 'CN=edge ca',
      notBefore: new Date('2026-01-02T03:04:05Z'),
      notAfter: new Date('2026-04-02T03:04:05Z'),
      fingerprint256: createHash('sha256').update(der(leaf)).digest('hex'),
      keyType: 'ec',
      keyBits: 256,
      signatureHash: 'SHA-256',
      subjectAltNames: [],
      constrainedNames: [{ kind: 'directory', value: '2.5.4.3=edgehub\n' }],
      isCa: false,
      keyUsage: ['digitalSignature'],
      selfSigned: false,
    },
  ]);
});

test('issuers are identified by position in the file, the next position first', async () => {
  const signers = async (...pems: string[]) => (await described(...pems)).map(({ signer }) => signer);
  const [a, b, c] = [leaf.certificate, authority.certificate, root.certificate];
  expect(await signers(a, b, c)).toEqual([1, 2, 2]);
  expect(await signers(c, b, a)).toEqual([0, 0, 1]);
  expect(await signers(a, c)).toEqual([undefined, 1]);
  expect(await signers(b, a, b)).toEqual([undefined, 2, undefined]);
});

test('of a file full of CAs with one name, a bounded number of signatures is checked', async () => {
  const verify = vi.spyOn(X509Certificate.prototype, 'verify');
  onTestFinished(() => verify.mockRestore());
  const imposters = await Promise.all(
    Array.from({ length: 100 }, () => createRoot({ commonName: 'root', notAfter: new Date('2036-01-01') })),
  );
  const many = [authority, ...imposters].map(({ certificate }) => certificate);
  const found = await described(...many, leaf.certificate);
  expect(verify.mock.calls.length).toBe(maxSignatureChecks);
  expect(found.slice(1, -1).every(({ selfSigned, signer }, i) => selfSigned && signer === i + 1)).toBe(true);
  expect(found.filter(({ signerUnknown }) => signerUnknown)).toHaveLength(2);
});

test('a bundle of more roots than signatures are checked is described completely', async () => {
  const found = await described(...Array.from({ length: 400 }, () => root.certificate));
  expect(found.every(({ selfSigned }) => selfSigned)).toBe(true);
});

const chain = leaf.chain + root.certificate;
const all = ['CN=edgehub', 'CN=edge ca', 'CN=root'];

test.each([
  ['a chain, in file order', chain, all],
  ['text around the blocks', `Bag Attributes\n  friendlyName: x\n${chain}\nend\n`, all],
  ['CRLF', chain.replaceAll('\n', '\r\n'), all],
  ['a byte order mark', `\uFEFF${chain}`, all],
  ['no newline at the end', chain.trimEnd(), all],
  ['a private key before and after, never parsed', leaf.key + chain + leaf.key, all],
  [
    'a private key of garbage',
    `-----BEGIN PRIVATE KEY-----\nno key\n-----END PRIVATE KEY-----\n${chain}`,
    all,
  ],
  ['DER', der(leaf), ['CN=edgehub']],
])('PEM or DER: %s', (_, bytes, expected) => expect(subjects(bytes)).toEqual(expected));

test.each([
  ['zero bytes', '', 'it is empty'],
  ['garbage', 'no certificate at all', '21 bytes that are neither PEM nor DER'],
  ['binary garbage', Buffer.alloc(300, 0xa5), '300 bytes that are neither PEM nor DER'],
  ['DER cut off', der(leaf).subarray(0, 200), '200 bytes that are neither PEM nor DER'],
  ['a key alone', leaf.key, 'only PRIVATE KEY'],
  ['PEM cut in its last block', chain.slice(0, -40), 'certificate 3 of 3 is cut off'],
  ['PEM cut in its first block', leaf.certificate.slice(0, 100), 'certificate 1 of 1 is cut off'],
  [
    'a block with something else in it',
    '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    'the PEM block of a certificate with something else in it',
  ],
])('no certificates: %s', (_, bytes, expected) => expect(subjects(bytes)).toBe(expected));

test('a mebibyte of beginnings without an end is searched in no time', () => {
  const hostile = '-----BEGIN CERTIFICATE-----\n'.repeat(37_000);
  expect(subjects(hostile)).toMatch(/cut off/);
});

test('a file that certd has half written is read once more and then found whole', async () => {
  const hostRoot = await tempFolder();
  const path = join(hostRoot, 'a.cer');
  const { read } = createFiles({ hostRoot });
  await writeFile(path, leaf.certificate.slice(0, 300));
  let reads = 0;
  const certificates = createCertificates({
    rereadAfterMs: 1,
    // The rest arrives after the first look.
    read: async (asked, during) => {
      const bytes = await read(asked, during);
      reads += 1;
      await writeFile(path, leaf.certificate);
      return bytes;
    },
  });
  expect(await certificates('/a.cer', signal)).toMatchObject([{ subject: 'CN=edgehub' }]);
  expect(reads).toBe(2);
});

test('a file whose link is being swapped is looked up again when its old target is gone', async () => {
  const answers = [Promise.reject(new CannotTell('not_found', 'gone')), Buffer.from(leaf.certificate)];
  const certificates = createCertificates({
    rereadAfterMs: 1,
    read: async () => answers.shift() ?? Buffer.alloc(0),
  });
  expect(await certificates('/live/cert.pem', signal)).toMatchObject([{ subject: 'CN=edgehub' }]);
});

test.each([
  ['zero bytes', '', '/a.cer holds no readable certificate: it is empty'],
  ['garbage', 'x'.repeat(50), '/a.cer holds no readable certificate: 50 bytes that are neither PEM nor DER'],
  ['10 MB', 'x'.repeat(10_000_000), 'Could not read /a.cer: it has 9.5 MiB, the limit is 1 MiB'],
])('a file of %s is unreadable, and the message says what was found', async (_, content, message) => {
  const hostRoot = await tempFolder();
  await writeFile(join(hostRoot, 'a.cer'), content);
  const certificates = createCertificates({ ...createFiles({ hostRoot }), rereadAfterMs: 1 });
  const error: unknown = await certificates('/a.cer', signal).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ reason: 'unreadable' });
  expect(describeError(error)).toBe(message);
});

test.each([
  ['a key', leaf.key],
  [
    'a key of elliptic curves with its parameters',
    `-----BEGIN EC PARAMETERS-----\nx\n-----END EC PARAMETERS-----\n-----BEGIN EC PRIVATE KEY-----\nx\n`,
  ],
  ['an encrypted key', '-----BEGIN ENCRYPTED PRIVATE KEY-----\nx\n-----END ENCRYPTED PRIVATE KEY-----\n'],
])('%s alone does not apply, and is read only once', async (_, content) => {
  let reads = 0;
  const certificates = createCertificates({
    read: async () => {
      reads += 1;
      return Buffer.from(content);
    },
  });
  await expect(certificates('/device.pem', signal)).rejects.toMatchObject({
    reason: 'not_applicable',
    message: '/device.pem holds a private key and no certificate',
  });
  expect(reads).toBe(1);
});

test('a missing file is not_found', async () => {
  const certificates = createCertificates(createFiles({ hostRoot: await tempFolder() }));
  await expect(certificates('/a.cer', signal)).rejects.toMatchObject({ reason: 'not_found' });
});

test('the wait for the second read ends when the signal fires, with its reason', async () => {
  const stop = new AbortController();
  const reason = new DOMException('late', 'TimeoutError');
  const certificates = createCertificates({
    rereadAfterMs: 3_600_000,
    read: async () => {
      setImmediate(() => stop.abort(reason));
      return Buffer.alloc(0);
    },
  });
  await expect(certificates('/a.cer', stop.signal)).rejects.toBe(reason);
});

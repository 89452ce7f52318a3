import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { certificateChain } from '../../src/checks/certificates/certificate-chain.ts';
import { createCertificates } from '../../src/host/certificates/certificates.ts';
import type { Certificate } from '../../src/host/certificates/types.ts';
import { createFiles } from '../../src/host/files/files.ts';
import { runCheck } from '../../src/run/runner.ts';
import { fakeHost } from '../support/fixtures/fake-host.ts';
import { network } from '../support/fixtures/host-network.ts';
import { have } from '../support/programs/installed.ts';
import { caExtensions, createMaker, type MadeCertificate, openssl } from '../support/programs/openssl.ts';

const { signal } = new AbortController();
const bundlePath = '/etc/ssl/certs/ca-certificates.crt';

describe.skipIf(!have('openssl'))('chains made by OpenSSL (apt-get install openssl)', () => {
  let folder: string;
  let make: ReturnType<typeof createMaker>;
  let root: MadeCertificate;
  let authority: MadeCertificate;
  let leaf: MadeCertificate;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'hardening-openssl-'));
    make = createMaker(folder);
    root = make({ subject: 'Root', extensions: caExtensions });
    authority = make({ subject: 'Authority', issuer: root, extensions: caExtensions });
    leaf = make({ subject: 'leaf', issuer: authority, extensions: ['subjectAltName=DNS:gw.test'] });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const files = createFiles({ hostRoot: '/' });
  const host = () => fakeHost({ certificates: createCertificates(files) });

  async function findingOf(...chain: readonly MadeCertificate[]) {
    const path = join(folder, 'chain.pem');
    writeFileSync(path, chain.map(({ pem }) => pem).join(''));
    const params = certificateChain.params.parse({ files: [path], endpoints: [] });
    const [finding] = (await runCheck(certificateChain, params, host(), 20, signal)).findings;
    return finding;
  }

  /** Whether OpenSSL itself accepts the first of a chain, given the others and the last as a root. */
  function accepts(
    [first, ...issuers]: readonly MadeCertificate[],
    purpose: readonly string[] = [],
  ): boolean {
    const top = issuers.at(-1) ?? first;
    writeFileSync(join(folder, 'others.pem'), issuers.map(({ pem }) => pem).join(''));
    const trust = ['-CAfile', top?.certificate ?? '', '-no-CApath', '-no-CAstore'];
    const args = [...trust, ...purpose, '-untrusted', join(folder, 'others.pem'), first?.certificate ?? ''];
    return spawnSync('openssl', ['verify', ...args]).status === 0;
  }

  test('a complete chain passes, with its root or without', async () => {
    expect(await findingOf(leaf, authority, root)).toMatchObject({ status: 'pass' });
    expect(await findingOf(leaf, authority)).toMatchObject({ status: 'pass' });
    expect(accepts([leaf, authority, root])).toBe(true);
  });

  test('every wrong order of three certificates is detected', async () => {
    for (const chain of [
      [leaf, root, authority],
      [authority, leaf, root],
      [authority, root, leaf],
      [root, leaf, authority],
      [root, authority, leaf],
    ]) {
      expect(await findingOf(...chain), chain.map(({ subject }) => subject).join()).toMatchObject({
        status: 'fail',
        reason: 'wrong_order',
      });
    }
  });

  const plain = ['subjectAltName=DNS:gw.test'];
  test.each<[string, () => MadeCertificate[]]>([
    [
      'broken_link',
      () => {
        const renewed = make({ subject: 'Authority', issuer: root, extensions: caExtensions });
        return [leaf, renewed, root];
      },
    ],
    ['broken_link', () => [leaf, make({ subject: 'Stranger', extensions: caExtensions })]],
    [
      'not_a_ca',
      () => {
        const no = make({ subject: 'No CA', issuer: root, extensions: ['basicConstraints=CA:FALSE'] });
        return [make({ subject: 'below', issuer: no, extensions: plain }), no, root];
      },
    ],
    [
      'not_a_ca',
      () => {
        const silent = make({ subject: 'Silent', issuer: root, extensions: plain });
        return [make({ subject: 'below', issuer: silent, extensions: plain }), silent, root];
      },
    ],
    [
      'path_too_long',
      () => {
        const short = make({ subject: 'Short', extensions: ['basicConstraints=critical,CA:TRUE,pathlen:0'] });
        const middle = make({ subject: 'Middle', issuer: short, extensions: caExtensions });
        return [make({ subject: 'below', issuer: middle, extensions: plain }), middle, short];
      },
    ],
    [
      'key_usage',
      () => {
        const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,digitalSignature'];
        const mute = make({ subject: 'Mute', issuer: root, extensions });
        return [make({ subject: 'below', issuer: mute, extensions: plain }), mute, root];
      },
    ],
  ])('%s fails, and OpenSSL refuses the chain as well', async (reason, chain) => {
    const made = chain();
    expect(await findingOf(...made)).toMatchObject({ status: 'fail', reason });
    expect(accepts(made)).toBe(false);
  });

  test('a version 1 root, the usual one of a small office, passes', async () => {
    const old = make({ subject: 'Old root' });
    const below = make({ subject: 'below', issuer: old, extensions: plain });
    expect(openssl('x509', '-in', old.certificate, '-noout', '-text')).toContain('Version: 1');
    expect(await findingOf(below, old)).toMatchObject({ status: 'pass' });
    expect(accepts([below, old])).toBe(true);
  });

  test.each<[string, () => MadeCertificate[]]>([
    [
      'key_usage',
      () => {
        const clients = make({
          subject: 'Clients',
          issuer: root,
          extensions: [...caExtensions, 'extendedKeyUsage=clientAuth'],
        });
        const server = [...plain, 'extendedKeyUsage=serverAuth'];
        return [make({ subject: 'below', issuer: clients, extensions: server }), clients, root];
      },
    ],
    ['key_usage', () => [make({ subject: 'x', issuer: root, extensions: ['keyUsage=keyCertSign'] }), root]],
    [
      'name_constraints',
      () => {
        const narrow = make({
          subject: 'Narrow',
          issuer: root,
          extensions: [...caExtensions, 'nameConstraints=critical,permitted;DNS:other.test'],
        });
        return [make({ subject: 'below', issuer: narrow, extensions: plain }), narrow, root];
      },
    ],
    [
      'critical_extension',
      () => [make({ subject: 'x', issuer: root, extensions: ['1.2.3.4=critical,ASN1:UTF8String:x'] }), root],
    ],
  ])('%s fails, and OpenSSL refuses the chain for a server and for a client', async (reason, chain) => {
    const made = chain();
    expect(await findingOf(...made)).toMatchObject({ status: 'fail', reason });
    expect(accepts(made, ['-purpose', 'sslserver'])).toBe(false);
    expect(accepts(made, ['-purpose', 'sslclient'])).toBe(false);
  });

  test.each<[string, object]>([
    ['weak_key', { newKey: ['rsa:1024'] }],
    ['weak_key', { newKey: ['ec', '-pkeyopt', 'ec_paramgen_curve:secp224r1'] }],
    ['weak_signature', { hash: 'sha1' }],
    ['weak_signature', { hash: 'md5' }],
  ])('%s warns: %j', async (reason, how) => {
    // There is no MD5 for elliptic curves.
    const issuer = make({ subject: 'RSA', newKey: ['rsa:2048'], extensions: caExtensions });
    const weak = make({ subject: 'weak', issuer, extensions: plain, ...how });
    expect(await findingOf(weak, issuer)).toMatchObject({ status: 'warn', reason });
  });

  test('a quickstart authority warns; the same name from another issuer does not', async () => {
    const own = make({ subject: 'aziot-edge CA device-1', extensions: caExtensions });
    expect(await findingOf(own)).toMatchObject({ status: 'warn', reason: 'quickstart_ca' });
    const issued = make({ subject: 'aziot-edge CA device-1', issuer: root, extensions: caExtensions });
    expect(await findingOf(issued, root)).toMatchObject({ status: 'pass' });
  });

  test.each([
    ['PKCS #1 RSA', { newKey: ['rsa:2048'] }, { keyType: 'rsa', keyBits: 2048, signatureHash: 'SHA-256' }],
    ['P-384', { newKey: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384'] }, { keyType: 'ec', keyBits: 384 }],
    ['Ed25519', { newKey: ['ed25519'] }, { keyType: 'ed25519' }],
    ['SHA-512', { hash: 'sha512' }, { signatureHash: 'SHA-512' }],
    [
      'uses',
      { extensions: ['keyUsage=digitalSignature,decipherOnly', 'extendedKeyUsage=serverAuth,clientAuth'] },
      {
        keyUsage: ['digitalSignature', 'decipherOnly'],
        extendedKeyUsage: ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'],
      },
    ],
    ['a path length', { extensions: ['basicConstraints=CA:TRUE,pathlen:3'] }, { isCa: true, pathLength: 3 }],
    [
      'names',
      { extensions: ['subjectAltName=DNS:a.test,IP:10.0.0.1,URI:urn:x'] },
      { subjectAltNames: ['DNS:a.test', 'IP Address:10.0.0.1', 'URI:urn:x'] },
    ],
  ])('%s are read as OpenSSL wrote them', async (_, how, expected) => {
    const made = make({ subject: 'some', issuer: authority, ...how });
    const [read] = await createCertificates(files)(made.certificate, signal);
    expect(read).toMatchObject(expected);
  });

  test.each([
    ['PEM with text above it', ['-text']],
    ['DER', ['-outform', 'DER']],
    ['a TRUSTED CERTIFICATE', ['-trustout', '-addtrust', 'serverAuth']],
  ])('%s is read', async (_, args) => {
    const path = join(folder, 'form');
    openssl('x509', '-in', leaf.certificate, ...args, '-out', path);
    expect(await createCertificates(files)(path, signal)).toMatchObject([{ subject: 'CN=leaf' }]);
  });

  describe.each(['-tls1_2', '-tls1_3'])('on the wire, %s', (version) => {
    async function look(
      served: MadeCertificate,
      chain: readonly MadeCertificate[],
      trusted: MadeCertificate,
    ) {
      writeFileSync(join(folder, 'served.pem'), chain.map(({ pem }) => pem).join(''));
      const sent = chain.length > 0 ? ['-cert_chain', join(folder, 'served.pem')] : [];
      const args = [
        '-cipher',
        'DEFAULT@SECLEVEL=0',
        '-cert',
        served.certificate,
        '-key',
        served.key,
        ...sent,
      ];
      const server = spawn('openssl', ['s_server', '-accept', '127.0.0.1:0', version, ...args]);
      const ended = once(server, 'exit');
      onTestFinished(async () => {
        server.kill();
        await ended;
      });
      const { presentedChain } = network({ bundle: trusted.pem });
      const port = await acceptedPort(server.stdout);
      const given = fakeHost({ presentedChain, names: { gateway: `gw.test:${port}` } });
      const params = certificateChain.params.parse({ files: [], endpoints: ['edgehub'] });
      const [finding] = (await runCheck(certificateChain, params, given, 10, signal)).findings;
      return finding;
    }

    test('a complete chain for the gateway’s name passes', async () => {
      expect(await look(leaf, [authority], root)).toMatchObject({ status: 'pass' });
    });

    test('a chain in the wrong order is reported', async () => {
      expect(await look(leaf, [root, authority], root)).toMatchObject({
        status: 'fail',
        reason: 'wrong_order',
        remedy: expect.stringContaining('openssl s_client -connect gw.test'),
      });
    });

    test('a stranger beside a chain is a broken link, unless the chain is whole without it', async () => {
      const stranger = make({ subject: 'Stranger', extensions: caExtensions });
      expect(await look(leaf, [stranger], root)).toMatchObject({
        reason: 'untrusted_root',
        message: expect.stringContaining('1 other problem: broken_link'),
      });
      expect(await look(leaf, [authority, stranger], root)).toMatchObject({ status: 'pass' });
    });

    test('a trusted version 1 root passes', async () => {
      const old = make({ subject: 'Old root' });
      expect(await look(make({ subject: 'x', issuer: old, extensions: plain }), [], old)).toMatchObject({
        status: 'pass',
      });
    });

    test('a weak signature fails where this device rejects it', async () => {
      const weak = make({ subject: 'x', issuer: root, extensions: plain, hash: 'sha1' });
      expect(await look(weak, [], root)).toMatchObject({ status: 'fail', reason: 'weak_signature' });
    });

    test('another root, a missing intermediate, another name and another use are reported', async () => {
      const stranger = make({ subject: 'Stranger', extensions: caExtensions });
      expect(await look(leaf, [authority], stranger)).toMatchObject({ reason: 'untrusted_root' });
      expect(await look(leaf, [], root)).toMatchObject({ reason: 'untrusted_root' });
      const elsewhere = make({ subject: 'x', issuer: root, extensions: ['subjectAltName=DNS:x.test'] });
      expect(await look(elsewhere, [], root)).toMatchObject({
        reason: 'name_mismatch',
        message: 'The certificate is for DNS:x.test, not for gw.test',
      });
      const client = make({
        subject: 'client',
        issuer: root,
        extensions: [...plain, 'extendedKeyUsage=clientAuth'],
      });
      expect(await look(client, [], root)).toMatchObject({ reason: 'key_usage' });
    });
  });
});

/** s_server tells the port it got on a line of its own. */
async function acceptedPort(output: NodeJS.ReadableStream): Promise<number> {
  for await (const line of createInterface({ input: output })) {
    const port = /^ACCEPT .*:(\d+)$/.exec(line)?.[1];
    if (port) {
      output.resume();
      return Number(port);
    }
  }
  throw new Error('openssl s_server did not start');
}

describe.skipIf(!have('openssl', 'update-ca-certificates'))(
  "Debian's bundle (apt-get install openssl ca-certificates)",
  () => {
    test('is read completely, with the dates that openssl prints, and passes', async () => {
      const pems =
        readFileSync(bundlePath, 'utf8').match(
          /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g,
        ) ?? [];
      const certificates = await createCertificates(createFiles({ hostRoot: '/' }))(bundlePath, signal);
      expect(pems.length).toBeGreaterThan(100);
      expect(certificates.map(asOpenssl)).toEqual(pems.map(byOpenssl));

      const params = certificateChain.params.parse({ files: [bundlePath], endpoints: [] });
      const host = fakeHost({ certificates: async () => certificates });
      const { findings } = await runCheck(certificateChain, params, host, 20, signal);
      expect(findings).toMatchObject([{ status: 'pass' }]);
    }, 120_000);
  },
);

const asOpenssl = ({ notBefore, notAfter, fingerprint256 }: Certificate) => ({
  notBefore: notBefore.getTime(),
  notAfter: notAfter.getTime(),
  fingerprint256,
});

function byOpenssl(pem: string) {
  const args = ['x509', '-noout', '-startdate', '-enddate', '-fingerprint', '-sha256'];
  const text = spawnSync('openssl', args, { input: pem, encoding: 'utf8' }).stdout;
  const line = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1] ?? '';
  return {
    notBefore: Date.parse(line('notBefore')),
    notAfter: Date.parse(line('notAfter')),
    fingerprint256: line('sha256 Fingerprint').replaceAll(':', '').toLowerCase(),
  };
}

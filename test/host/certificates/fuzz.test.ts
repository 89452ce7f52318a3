import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { createServer } from 'node:tls';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createRoot } from '../../../simulator/workload/pki.ts';
import { CannotTell } from '../../../src/check.ts';
import { never } from '../../../src/deadline.ts';
import { certificateDetails, constrainedNames } from '../../../src/host/certificates/certificate-details.ts';
import { createCertificates, parseCertificates } from '../../../src/host/certificates/certificates.ts';
import { type Der, derElements, dottedOid } from '../../../src/host/certificates/der.ts';
import { identityOf } from '../../../src/host/certificates/issuer-match.ts';
import { parseCertificate } from '../../../src/host/certificates/parsed-certificate.ts';
import { maxSignatureChecks } from '../../../src/host/tls/signature-checks.ts';
import { createTrust } from '../../../src/host/tls/trust.ts';
import { network } from '../../support/fixtures/host-network.ts';
import { anyLines, type Field, mutated, mutations } from '../../support/mutations.ts';
import { checkAsyncProperty, checkProperty } from '../../support/properties.ts';

const root = await createRoot({ commonName: 'Root' });
const leaf = await root.issue({ commonName: 'hub.test', names: ['hub.test', '10.0.0.1'] });
const der = Buffer.from(new X509Certificate(leaf.certificate).raw);

/** The tag, the first length octet and the contents' beginning of every element, also of those inside octet strings. */
function fieldsOf(bytes: Buffer, offset = 0): Field[] {
  return elementsOf(bytes).flatMap(({ content }) => {
    const at = offset + content.byteOffset - bytes.byteOffset;
    const lengthBytes = content.length < 0x80 ? 1 : content.length < 0x100 ? 2 : 3;
    return [
      { at: at - lengthBytes - 1, bytes: 1 },
      { at: at - lengthBytes, bytes: lengthBytes },
      { at, bytes: 1 },
      ...fieldsOf(content, at),
    ];
  });
}

function elementsOf(bytes: Buffer): readonly Der[] {
  try {
    return derElements(bytes);
  } catch {
    return [];
  }
}

const fields = fieldsOf(der);

describe('DER', () => {
  test('has fields for the mutations', () => {
    expect(fields.length).toBeGreaterThan(100);
  });

  test('of mutated certificates is read, or a RangeError', () => {
    let read = 0;
    checkProperty(
      fc.property(mutated(der, fields), (bytes) => {
        try {
          const parsed = parseCertificate(bytes);
          certificateDetails(parsed);
          constrainedNames(parsed);
          const { keyId = '', serialNumber } = identityOf(parsed);
          expect(keyId.length + serialNumber.length).toBeLessThanOrEqual(2 * bytes.length);
          read += 1;
        } catch (error) {
          if (!(error instanceof RangeError)) throw error;
        }
      }),
      5000,
    );
    // Enough mutations leave a certificate that is read to its end.
    expect(read).toBeGreaterThan(500);
  });

  test('of any bytes has at most an element for every two of them, none outside', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.nat(2000).map((length) => new Uint8Array(length)),
    );
    checkProperty(
      fc.property(bytes, (any) => {
        const elements = elementsOf(Buffer.from(any));
        expect(elements.length).toBeLessThanOrEqual(any.length / 2);
        const total = elements.reduce((sum, { content }) => sum + 2 + content.length, 0);
        expect(total).toBeLessThanOrEqual(any.length);
      }),
      2000,
    );
  });

  test('of an object identifier is dotted text no longer than four times its bytes', () => {
    checkProperty(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const text = dottedOid(Buffer.from(bytes));
        expect(text).toMatch(/^\d+\.-?[\w+.]+$/);
        expect(text.length).toBeLessThanOrEqual(4 * bytes.length + 16);
      }),
      1000,
    );
  });
});

describe('a file', () => {
  const parts = [leaf.certificate, root.certificate, leaf.key];
  const lines = [
    ...parts,
    ...[
      '-----BEGIN CERTIFICATE-----',
      '-----END CERTIFICATE-----',
      '-----BEGIN TRUSTED CERTIFICATE-----',
      '-----',
    ],
    ...[
      '-----BEGIN X509 CRL-----',
      '-----BEGIN EC PRIVATE KEY-----',
      'MIIB',
      '====',
      '# a comment',
      '\uFEFF',
    ],
  ];
  const pem = anyLines(lines, ['\n', '\r\n', '']).map((text) => Buffer.from(text));
  const chain = Buffer.from(leaf.chain + root.certificate);
  const file = fc.oneof(pem, mutated(chain), mutated(der, fields), fc.constant(der));

  test('of any content is certificates, or says what it is instead', () => {
    checkProperty(
      fc.property(file, (bytes) => {
        const found = parseCertificates(bytes);
        if (typeof found === 'string') {
          expect(found).toMatch(/^[^\p{Cc}]{1,400}$/u);
          return;
        }
        expect(found.length).toBeGreaterThan(0);
        const labels = bytes.toString('latin1').match(/-----BEGIN [A-Z0-9 ]*CERTIFICATE-----/g) ?? [''];
        expect(found.length).toBeLessThanOrEqual(labels.length);
      }),
      2000,
    );
  });

  test('of any content is read at most twice, and its signatures are checked a bounded number of times', async () => {
    const verify = vi.spyOn(X509Certificate.prototype, 'verify');
    onTestFinished(() => verify.mockRestore());
    await checkAsyncProperty(
      fc.asyncProperty(file, async (bytes) => {
        let reads = 0;
        const read = async () => {
          reads += 1;
          return bytes;
        };
        verify.mockClear();
        try {
          const certificates = await createCertificates({ read, rereadAfterMs: 0 })('/a.pem', never);
          for (const { subject, notAfter, signer = 0 } of certificates) {
            expect(subject).not.toBe('');
            expect(Number.isNaN(notAfter.getTime())).toBe(false);
            expect(signer).toBeLessThan(certificates.length);
          }
        } catch (error) {
          if (!(error instanceof CannotTell)) throw error;
          expect(['unreadable', 'not_applicable']).toContain(error.reason);
        }
        expect(reads).toBeLessThanOrEqual(2);
        expect(verify.mock.calls.length).toBeLessThanOrEqual(maxSignatureChecks);
      }),
      600,
    );
  });

  test('of any content as a trust bundle leaves the default authorities', async () => {
    await checkAsyncProperty(
      fc.asyncProperty(file, async (bytes) => {
        const trust = createTrust({ workload: { trustBundle: async () => bytes.toString('latin1') } });
        const { authorities, problem = '' } = await trust(never);
        expect(authorities.length).toBeGreaterThan(50);
        expect(problem).toMatch(/^[^\p{Cc}]{0,400}$/u);
      }),
      40,
    );
  });
});

describe('TLS records', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'that are mutated in a handshake of %s give a chain or a declared reason',
    async (maxVersion) => {
      const server = createServer({ cert: leaf.chain, key: leaf.key, maxVersion }, (socket) => {
        socket.on('error', () => undefined);
      });
      server.on('tlsClientError', () => undefined);
      server.listen(0, '127.0.0.1');
      let mutate = (bytes: Buffer) => bytes;
      // Passes the first flight of the server on with mutations, and then ends the connection.
      const proxy = createTcpServer((client) => {
        const upstream = connect((server.address() as AddressInfo).port, '127.0.0.1');
        for (const socket of [client, upstream]) socket.on('error', () => undefined);
        client.pipe(upstream);
        upstream.once('data', (flight) => {
          client.end(mutate(flight));
          upstream.destroy();
        });
      }).listen(0, '127.0.0.1');
      await Promise.all([once(server, 'listening'), once(proxy, 'listening')]);
      onTestFinished(() => {
        server.close();
        proxy.close();
      });
      const { port } = proxy.address() as AddressInfo;
      const { presentedChain } = network({ bundle: root.certificate });
      // RFC 8446, section 5.1, and sections 4 and 4.1.3: the record, the handshake message, ServerHello.
      const record: Field[] = [
        { at: 0, bytes: 1 },
        { at: 1, bytes: 2 },
        { at: 3, bytes: 2 },
        { at: 5, bytes: 1 },
        { at: 6, bytes: 3 },
        { at: 9, bytes: 2 },
        { at: 43, bytes: 1 },
      ];
      await checkAsyncProperty(
        fc.asyncProperty(mutations(record), async (next) => {
          mutate = next;
          try {
            expect(
              (await presentedChain({ host: 'hub.test', port }, never)).certificates.length,
            ).toBeGreaterThan(0);
          } catch (error) {
            if (!(error instanceof CannotTell)) throw error;
            expect(['unreachable', 'unreadable']).toContain(error.reason);
            expect(error.message).toMatch(/^[^\p{Cc}]{1,400}$/u);
          }
        }),
        150,
      );
    },
  );
});

// @peculiar/x509 uses tsyringe, which requires this import to come first.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto as never);

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
export const dayMs = 86_400_000;

/** A certificate and its private key, PEM. `chain` is the certificate followed by its issuers without the root. */
export interface Issued {
  readonly certificate: string;
  readonly key: string;
  readonly chain: string;
  /** Issues a certificate signed by this one. */
  issue(request: CertificateRequest): Promise<Issued>;
}

export interface CertificateRequest {
  readonly commonName: string;
  /** DNS names and IP addresses. */
  readonly names?: readonly string[];
  readonly ca?: boolean;
  /** Default: an hour ago. */
  readonly notBefore?: Date;
  /** Default: 90 days from now. */
  readonly notAfter?: Date;
}

/** Creates a self-signed root. */
export const createRoot = (request: CertificateRequest): Promise<Issued> => issue({ ...request, ca: true });

interface Issuer {
  readonly name: string;
  readonly keys: webcrypto.CryptoKeyPair;
  /** The issuers that follow an issued certificate in its chain; empty for a root. */
  readonly chain: string;
}

async function issue(request: CertificateRequest, issuer?: Issuer): Promise<Issued> {
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  const name = `CN=${request.commonName}`;
  const serialNumber = Buffer.from(webcrypto.getRandomValues(new Uint8Array(12))).toString('hex');
  const { X509CertificateGenerator } = x509;
  const created = await X509CertificateGenerator.create({
    // A leading zero nibble keeps the serial number positive.
    serialNumber: `0${serialNumber.slice(1)}`,
    subject: name,
    issuer: issuer?.name ?? name,
    notBefore: request.notBefore ?? new Date(Date.now() - 3_600_000),
    notAfter: request.notAfter ?? new Date(Date.now() + 90 * dayMs),
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: algorithm,
    extensions: createExtensions(request),
  });
  const certificate = `${created.toString('pem')}\n`;
  const chain = certificate + (issuer?.chain ?? '');
  const issuing = { name, keys, chain: issuer ? chain : '' };
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  return {
    certificate,
    key: `${x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`,
    chain,
    issue: (child) => issue(child, issuing),
  };
}

function createExtensions({ ca = false, names = [] }: CertificateRequest): x509.Extension[] {
  const usage = ca
    ? x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign
    : x509.KeyUsageFlags.digitalSignature;
  const all: x509.Extension[] = [
    new x509.BasicConstraintsExtension(ca, undefined, true),
    new x509.KeyUsagesExtension(usage, true),
  ];
  if (names.length > 0) {
    const san = names.map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value }));
    all.push(new x509.SubjectAlternativeNameExtension(san));
  }
  return all;
}

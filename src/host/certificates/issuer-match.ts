import { type Der, derElements, derTag, dottedOid } from './der.ts';
import { canonicalName, generalName } from './general-names.ts';
import type { ParsedCertificate } from './parsed-certificate.ts';

/** What identifies a certificate, and the one that issued it. */
export interface Identity {
  /** Canonical names. */
  readonly subject: string;
  readonly issuer: string;
  readonly serialNumber: string;
  /** The subject key identifier, hexadecimal. */
  readonly keyId?: string | undefined;
  /** The authority key identifier: any of its parts may be absent. */
  readonly authority: { readonly keyId?: string; readonly serialNumber?: string; readonly issuer?: string };
  /** The kind of key that signed it; absent where its algorithm is unknown. */
  readonly signedBy?: string | undefined;
}

/** @throws RangeError for malformed DER. */
export function identityOf(parsed: ParsedCertificate): Identity {
  const extension = (oid: string) => parsed.extensions.find((each) => each.oid === oid)?.value;
  return {
    subject: canonicalName(parsed.subject),
    issuer: canonicalName(parsed.issuer),
    serialNumber: parsed.serialNumber,
    keyId: extension('2.5.29.14')?.content.toString('hex'),
    authority: authorityKeyId(extension('2.5.29.35')),
    signedBy: signingKey(parsed.signatureAlgorithm),
  };
}

/**
 * Whether names and key identifiers let one certificate be the issuer of another, by the rules of OpenSSL
 * (X509_check_issued(3)), which does not compare signatures when it builds a chain.
 */
export function couldHaveIssued(issuer: Identity, { issuer: name, authority }: Identity): boolean {
  if (issuer.subject !== name) return false;
  const { keyId, serialNumber, issuer: issuersIssuer } = authority;
  return (
    (keyId === undefined || issuer.keyId === undefined || keyId === issuer.keyId) &&
    (serialNumber === undefined || serialNumber === issuer.serialNumber) &&
    (issuersIssuer === undefined || issuersIssuer === issuer.issuer)
  );
}

/** RFC 5280, section 4.2.1.1. */
function authorityKeyId(value: Der | undefined): Identity['authority'] {
  const parts = value ? derElements(value.content) : [];
  const [keyId, names, serial] = [0x80, 0xa1, 0x82].map((tag) => parts.find((part) => part.tag === tag));
  const directory =
    names &&
    derElements(names.content)
      .map(generalName)
      .find(({ kind }) => kind === 'directory');
  return {
    ...(keyId && { keyId: keyId.content.toString('hex') }),
    ...(serial && { serialNumber: serial.content.toString('hex') }),
    ...(directory && { issuer: directory.value }),
  };
}

/** The kind of key by the arcs that its signature algorithms share: RFC 8017, RFC 5758, RFC 8410. */
const signingKeys: readonly (readonly [arcs: string, key: string])[] = [
  ['1.2.840.113549.1.1.', 'rsa'],
  ['1.2.840.10045.4.', 'ec'],
  ['1.2.840.10040.4.', 'dsa'],
  ['1.3.101.112', 'ed25519'],
  ['1.3.101.113', 'ed448'],
];

function signingKey({ content }: Der): string | undefined {
  const oid = derElements(content).find(({ tag }) => tag === derTag.oid);
  const algorithm = oid ? dottedOid(oid.content) : '';
  return signingKeys.find(([arcs]) => algorithm.startsWith(arcs))?.[1];
}

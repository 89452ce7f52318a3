import type { KeyObject, X509Certificate } from 'node:crypto';
import { distinguishedName } from '../tls/peer.ts';
import { certificateDetails } from './certificate-details.ts';
import type { Certificate } from './types.ts';

/** A CA may have several certificates under one name. This bounds the work for a file full of them. */
const maxNamesakes = 8;

/** What the checks need of the certificates of one file or handshake, in the same order. */
export function describeCertificates(certificates: readonly X509Certificate[]): readonly Certificate[] {
  const bySubject = new Map<string, number[]>();
  for (const [i, { subject }] of certificates.entries()) {
    const places = bySubject.get(subject);
    if (places) places.push(i);
    else bySubject.set(subject, [i]);
  }
  return certificates.map((certificate, i) => {
    const selfSigned = certificate.subject === certificate.issuer && isSignedBy(certificate, certificate);
    const places = (bySubject.get(certificate.issuer) ?? []).slice(0, maxNamesakes);
    const nextFirst = certificates[i + 1]?.subject === certificate.issuer ? [i + 1, ...places] : places;
    const signer = selfSigned ? i : nextFirst.find((place) => isSignedBy(certificate, certificates[place]));
    return { ...describe(certificate), selfSigned, ...(signer === undefined ? {} : { signer }) };
  });
}

function describe(certificate: X509Certificate): Omit<Certificate, 'selfSigned' | 'signer'> {
  const { subject, issuer, subjectAltName, validFrom, validTo, fingerprint256 } = certificate;
  return {
    subject: distinguishedName(subject) || subjectAltName || 'a certificate without a name',
    issuer: distinguishedName(issuer) || 'an issuer without a name',
    notBefore: new Date(validFrom),
    notAfter: new Date(validTo),
    fingerprint256: fingerprint256.replaceAll(':', '').toLowerCase(),
    subjectAltNames: subjectAltName?.split(', ') ?? [],
    ...keyOf(certificate),
    ...(certificateDetails(certificate.raw) ?? { isCa: certificate.ca }),
  };
}

/** Whether the signature verifies, regardless of names and of the issuer's rights. */
function isSignedBy(certificate: X509Certificate, issuer: X509Certificate | undefined): boolean {
  const key = issuer && publicKey(issuer);
  try {
    return key !== undefined && certificate.verify(key);
  } catch {
    // A key of another kind than the signature throws.
    return false;
  }
}

function keyOf(certificate: X509Certificate): Pick<Certificate, 'keyType' | 'keyBits'> {
  const key = publicKey(certificate);
  const { modulusLength, namedCurve } = key?.asymmetricKeyDetails ?? {};
  // prime256v1, secp384r1, brainpoolP512r1: the names of all curves in use contain their size.
  const bits = modulusLength ?? Number(namedCurve?.match(/\d{3}/)?.[0] ?? Number.NaN);
  return { keyType: key?.asymmetricKeyType ?? 'unknown', ...(Number.isNaN(bits) ? {} : { keyBits: bits }) };
}

function publicKey(certificate: X509Certificate): KeyObject | undefined {
  try {
    return certificate.publicKey;
  } catch {
    // A kind of key that this OpenSSL does not know.
    return undefined;
  }
}

import type { KeyObject, X509Certificate } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { distinguishedName } from '../tls/peer.ts';
import type { IsSignedBy } from '../tls/signature-checks.ts';
import { certificateDetails, constrainedNames } from './certificate-details.ts';
import { couldHaveIssued, type Identity, identityOf } from './issuer-match.ts';
import { parseCertificate } from './parsed-certificate.ts';
import type { Certificate, CertificateDetails } from './types.ts';

type Facts = Omit<Certificate, 'selfSigned' | 'signer' | 'hasWrongNamesake' | 'signerUnknown'>;
type Links = Pick<Certificate, 'selfSigned' | 'signer' | 'hasWrongNamesake' | 'signerUnknown'>;

interface Known {
  readonly certificate: X509Certificate;
  readonly identity: Identity;
  readonly facts: Facts;
  /** TLS libraries take it for a root: they go by names, identifiers and the kind of key, not by its signature. */
  readonly looksLikeRoot: boolean;
}

/** What the checks need of the certificates of one file or handshake, in the same order. */
export async function describeCertificates(
  certificates: readonly X509Certificate[],
  isSignedBy: IsSignedBy,
): Promise<readonly Certificate[]> {
  const all: Known[] = [];
  for (const certificate of certificates) {
    // A file may hold thousands, at up to a millisecond each.
    await setImmediate();
    all.push(known(certificate));
  }
  const bySubject = new Map<string, number[]>();
  for (const [i, { identity }] of all.entries()) {
    const namesakes = bySubject.get(identity.subject);
    if (namesakes) namesakes.push(i);
    else bySubject.set(identity.subject, [i]);
  }
  const links = new Map<number, Links>();
  const places = [...all.entries()];
  // Roots come last: their own signatures matter least, and a bundle has more of them than are checked.
  const linksFirst = [...places.filter(([, { looksLikeRoot }]) => !looksLikeRoot), ...places];
  for (const [i, one] of linksFirst) {
    if (links.has(i)) continue;
    await setImmediate();
    const issuers = bySubject.get(one.identity.issuer) ?? [];
    links.set(i, await linksOf(i, one, { all, issuers }, isSignedBy));
  }
  return all.map(({ facts }, i) => ({ selfSigned: false, ...facts, ...links.get(i) }));
}

/** @param issuers the positions of the certificates with the issuer's name. */
async function linksOf(
  i: number,
  { certificate, identity, looksLikeRoot }: Known,
  { all, issuers }: { readonly all: readonly Known[]; readonly issuers: readonly number[] },
  isSignedBy: IsSignedBy,
): Promise<Links> {
  // Where no more signatures are checked, the looks of a root must do.
  if (looksLikeRoot && (await isSignedBy(certificate, certificate)) !== false) {
    return { selfSigned: true, signer: i };
  }
  const selfSigned = false;
  let wrong = looksLikeRoot ? { hasWrongNamesake: true as const } : {};
  const possible = issuers.filter((place) => {
    const issuer = all[place];
    return issuer && place !== i && couldHaveIssued(issuer.identity, identity);
  });
  for (const place of inOrderOfTrial(i, all, possible)) {
    const issuer = all[place];
    if (!issuer) continue;
    const signed = await isSignedBy(certificate, issuer.certificate);
    if (signed === undefined) return { selfSigned, signerUnknown: true };
    if (signed) return { selfSigned, signer: place, ...wrong };
    wrong = { hasWrongNamesake: true };
  }
  return { selfSigned, ...wrong };
}

/** As OpenSSL tries them: those that are valid now, then those that expire last; of equals, roots, then the next. */
function inOrderOfTrial(i: number, all: readonly Known[], issuers: readonly number[]): readonly number[] {
  const now = new Date();
  const ranks = issuers.flatMap((place) => {
    const issuer = all[place];
    if (!issuer) return [];
    const { notBefore, notAfter } = issuer.facts;
    const validUntil = notBefore <= now && now <= notAfter ? Number.POSITIVE_INFINITY : notAfter.getTime();
    return [{ place, validUntil, preference: issuer.looksLikeRoot ? 2 : place === i + 1 ? 1 : 0 }];
  });
  const byRank = (a: (typeof ranks)[number], b: (typeof ranks)[number]) =>
    a.validUntil === b.validUntil ? b.preference - a.preference : b.validUntil - a.validUntil;
  return ranks.sort(byRank).map(({ place }) => place);
}

function known(certificate: X509Certificate): Known {
  const { subject, issuer, subjectAltName, validFrom, validTo, fingerprint256 } = certificate;
  const names = {
    subject: distinguishedName(subject) || subjectAltName || 'a certificate without a name',
    issuer: distinguishedName(issuer) || 'an issuer without a name',
    notBefore: new Date(validFrom),
    notAfter: new Date(validTo),
    fingerprint256: fingerprint256.replaceAll(':', '').toLowerCase(),
    subjectAltNames: subjectAltName?.split(', ') ?? [],
    ...keyOf(certificate),
  };
  const [identity, facts] = parsedFacts(certificate);
  const { signedBy } = identity;
  const looksLikeRoot =
    couldHaveIssued(identity, identity) && (signedBy === undefined || names.keyType.startsWith(signedBy));
  return { certificate, identity, looksLikeRoot, facts: { ...names, ...facts } };
}

type ParsedFacts = CertificateDetails & Pick<Certificate, 'constrainedNames'>;

function parsedFacts(certificate: X509Certificate): [Identity, ParsedFacts] {
  try {
    const parsed = parseCertificate(certificate.raw);
    const facts = { ...certificateDetails(parsed), constrainedNames: constrainedNames(parsed) };
    return [identityOf(parsed), facts];
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // Malformed in a part that OpenSSL has not read.
    const { subject, issuer, serialNumber, ca: isCa } = certificate;
    return [{ subject, issuer, serialNumber, authority: {} }, { isCa }];
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

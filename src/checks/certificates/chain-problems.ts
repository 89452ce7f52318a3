import type { Certificate } from '../../host/certificates/types.ts';
import { isQuickstartCa } from './known-authorities.ts';
import {
  intendedUses,
  isAuthority,
  issuerProblems,
  lengthProblems,
  pathFrom,
  pathProblems,
} from './path-problems.ts';
import { failure, nameOf, type Problem, shortened, worstFirst } from './problem.ts';

/**
 * What is wrong with certificates, in the order of their file or handshake, worst first. What keeps TLS from accepting the
 * chain fails; what is only weak or provisional warns.
 *
 * Certificates that did not issue each other are judged separately: a single one, a bundle of roots, several leaves. A leaf
 * must be of use to a TLS server or client, unless it is meant for neither.
 */
export function chainProblems(certificates: readonly Certificate[]): readonly Problem[] {
  const used = usedPlaces(certificates);
  const isAlternative = alternativesIn(certificates);
  const problems = [
    ...used.flatMap((i) => brokenLink(certificates, i, isAlternative)),
    ...wrongOrder(certificates),
    ...used.flatMap((i) => problemsFrom(certificates, i)),
    ...certificates.flatMap(weaknesses),
  ];
  return worstFirst(problems);
}

function problemsFrom(all: readonly Certificate[], i: number): readonly Problem[] {
  const certificate = all[i];
  if (!certificate) return [];
  const path = pathFrom(all, i);
  return [
    ...issuerProblems(certificate),
    ...pathProblems(path, isAuthority(certificate) ? [] : intendedUses(certificate)),
    ...lengthProblems(path, true),
  ];
}

/** The positions but those of alternatives of a CA that issued nothing here: of several, TLS libraries use one. */
function usedPlaces(all: readonly Certificate[]): readonly number[] {
  const isAlternative = alternativesIn(all);
  const signers = new Set(all.flatMap(({ signer }, i) => (signer === i ? [] : signer)));
  const authorities = new Set(
    all.flatMap(({ subject, isCa, isLegacyCa }) => (isCa || isLegacyCa ? subject : [])),
  );
  const isUnused = (i: number) =>
    isAlternative(i) && !signers.has(i) && authorities.has(all[i]?.subject ?? '');
  return [...all.keys()].filter((i) => !isUnused(i));
}

/**
 * TLS requires each certificate to be followed by its issuer (RFC 5246, section 7.4.2), and certd uses the first
 * certificate of a file as the one whose key it holds. Certificates that appear twice, and other certificates of the same CA,
 * old or cross-signed, may stand between. A file of CAs alone may be a trust bundle, where order is irrelevant.
 *
 * @param places the positions to judge.
 */
export function wrongOrder(all: readonly Certificate[], places = [...all.keys()]): readonly Problem[] {
  return [...misplaced(all, places).slice(0, 1), ...namesakes(all, places)];
}

function misplaced(all: readonly Certificate[], places: readonly number[]): readonly Problem[] {
  const isAlternative = alternativesIn(all);
  const follows = (i: number) => i > 0 && all[i - 1]?.signer === i;
  return places.flatMap((i) => {
    const certificate = all[i];
    const place = certificate?.signer ?? i;
    const issuer = all[place];
    if (!certificate || !issuer || place === i || isAlternative(i)) return [];
    const namesakes = all.filter(({ subject }) => subject === certificate.subject);
    const signers = new Set(namesakes.map(({ signer }) => signer));
    const mayBeSkipped = ({ subject }: Certificate, k: number) =>
      [certificate.subject, certificate.issuer].includes(subject) || isAlternative(k) || signers.has(k);
    const skipsForward = !all.slice(i + 1, place).every((each, j) => mayBeSkipped(each, i + 1 + j));
    // An issuer above its certificate, unless it ends another chain there: several chains can share an issuer.
    if (!skipsForward && (place > i || follows(place))) return [];
    const clause = `${nameOf(certificate)} is at position ${i + 1} and its issuer ${nameOf(issuer)} at position ${place + 1}: each certificate must be followed by its issuer`;
    if (all.some((each) => !isAuthority(each))) return [failure('wrong_order', clause)];
    return [{ status: 'warn', reason: 'wrong_order', clause: `${clause}, unless this is a trust bundle` }];
  });
}

/** Whether an earlier certificate has the same name: then one is a copy, or another certificate of the same CA. */
function alternativesIn(all: readonly Certificate[]): (i: number) => boolean {
  const first = new Map<string | undefined, number>();
  for (const [i, { subject }] of all.entries()) if (!first.has(subject)) first.set(subject, i);
  return (i) => (first.get(all[i]?.subject) ?? i) < i;
}

function namesakes(all: readonly Certificate[], places: readonly number[]): readonly Problem[] {
  return places.flatMap((i): Problem[] => {
    const certificate = all[i];
    if (!certificate?.hasWrongNamesake || certificate.signer === undefined || isSelfIssued(certificate))
      return [];
    const clause = `another certificate of ${shortened(certificate.issuer)} precedes the one that signed ${nameOf(certificate)}, and some TLS libraries try only the first`;
    return [{ status: 'warn', reason: 'wrong_order', clause }];
  });
}

const isSelfIssued = ({ subject, issuer }: Certificate): boolean => subject === issuer;

function brokenLink(
  all: readonly Certificate[],
  i: number,
  isAlternative: (i: number) => boolean,
): readonly Problem[] {
  const certificate = all[i];
  if (!certificate) return [];
  if (looksLikeRoot(certificate)) return namedLikeIssuer(certificate);
  if (certificate.signer !== undefined || certificate.signerUnknown) return [];
  // A certificate above with that name may be a leaf of its own, and one that issued itself may lead to a root elsewhere.
  const isIssuer = (each: Certificate, j: number) =>
    each.subject === certificate.issuer &&
    (isSelfIssued(certificate) ? each.selfSigned : isAuthority(each) || j > i);
  if (all.some(isIssuer)) {
    const clause = `${nameOf(certificate)} was not signed with the key of the certificate of ${shortened(certificate.issuer)} in the same file or chain, or names another key identifier`;
    return [failure('broken_link', clause)];
  }
  const next = all[i + 1];
  // Another CA after a leaf and its issuers is meant as the next link.
  if (!next || !isAuthority(next) || isAlternative(i + 1) || !belongsToLeaf(all, i)) return [];
  const clause = `${nameOf(certificate)} was issued by ${shortened(certificate.issuer)}, but ${nameOf(next)} follows it`;
  return [failure('broken_link', clause)];
}

/** A certificate with its issuer's name that the issuer does not tell apart by a key identifier. */
const looksLikeRoot = (certificate: Certificate): boolean =>
  isSelfIssued(certificate) && certificate.hasWrongNamesake === true && !certificate.selfSigned;

export function namedLikeIssuer(certificate: Certificate): readonly Problem[] {
  if (!looksLikeRoot(certificate)) return [];
  const clause = `${nameOf(certificate)} has the same name as its issuer, so TLS libraries take it for a self-signed root`;
  return [failure('broken_link', clause)];
}

/** Whether a certificate is a leaf, or part of the unbroken chain that starts at one. */
function belongsToLeaf(all: readonly Certificate[], i: number): boolean {
  if (all[i]?.isCa === false) return true;
  return i > 0 && all[i - 1]?.signer === i && belongsToLeaf(all, i - 1);
}

/** The smallest keys with 112 bits of security (NIST SP 800-131A). */
const leastBits: Readonly<Record<string, number>> = { rsa: 2048, 'rsa-pss': 2048, dsa: 2048, ec: 256 };

const weakHashes: readonly (string | undefined)[] = ['MD2', 'MD5', 'SHA-1'];

/** What is weak or provisional in a certificate; TLS clients may accept it nevertheless. */
export function weaknesses(certificate: Certificate): Problem[] {
  const { keyType, keyBits, signatureHash, selfSigned } = certificate;
  const found: Problem[] = [];
  const least = leastBits[keyType];
  if (least !== undefined && keyBits !== undefined && keyBits < least) {
    const clause = `${nameOf(certificate)} has a key of ${keyBits} bits (${keyType}), at least ${least} are required`;
    found.push({ status: 'warn', reason: 'weak_key', clause });
  }
  // A root is trusted because it is installed; its signature is not checked.
  if (!selfSigned && weakHashes.includes(signatureHash)) {
    const clause = `${nameOf(certificate)} is signed with ${signatureHash}, which newer TLS libraries refuse`;
    found.push({ status: 'warn', reason: 'weak_signature', clause });
  }
  if (isQuickstartCa(certificate)) {
    const clause = `${nameOf(certificate)} is the CA that IoT Edge creates for itself in a quickstart installation: it is not meant for production, and its renewal restarts all modules`;
    found.push({ status: 'warn', reason: 'quickstart_ca', clause });
  }
  return found;
}

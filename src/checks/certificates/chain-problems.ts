import type { Certificate } from '../../host/certificates/types.ts';
import { isQuickstartCa } from './quickstart-ca.ts';

/** Something wrong with certificates that belong together. `clause` is the message, or part of it. */
export interface Problem<Reason extends string = ChainReason> {
  readonly status: 'warn' | 'fail';
  readonly reason: Reason;
  readonly clause: string;
}

/** What can be wrong with a chain in a file or from a server. */
export type ChainReason =
  | 'wrong_order'
  | 'broken_link'
  | 'not_a_ca'
  | 'path_too_long'
  | 'key_usage'
  | 'weak_key'
  | 'weak_signature'
  | 'quickstart_ca';

/**
 * What is wrong with certificates, in the order of their file or handshake, worst first. What keeps a TLS client from
 * accepting the chain fails; what is only weak or provisional warns.
 *
 * Certificates that did not issue each other are judged separately: a single one, a bundle of roots, several leaves.
 */
export function chainProblems(certificates: readonly Certificate[]): readonly Problem[] {
  const problems = [
    ...brokenLinks(certificates),
    ...wrongOrder(certificates),
    ...certificates.flatMap((each, i) => issuerProblems(each, issuedBy(certificates, i))),
    ...certificates.flatMap((_, i) => pathProblems(pathFrom(certificates, i))),
    ...certificates.flatMap(weaknesses),
  ];
  // One CA may be part of many paths.
  const distinct = new Map(problems.map((problem) => [`${problem.reason} ${problem.clause}`, problem]));
  return [...distinct.values()].sort((a, b) => Number(b.status === 'fail') - Number(a.status === 'fail'));
}

/** The certificate's name for messages, bounded: an issuer's name can contain anything. */
export const nameOf = ({ subject }: Certificate): string => shortened(subject);
export const shortened = (name: string): string => (name.length > 120 ? `${name.slice(0, 117)}...` : name);

const issuedBy = (all: readonly Certificate[], i: number): readonly Certificate[] =>
  all.filter(({ signer }, j) => signer === i && j !== i);

/** From a certificate to the last issuer that is present. */
export function pathFrom(all: readonly Certificate[], start: number): readonly Certificate[] {
  const path: Certificate[] = [];
  let at: number | undefined = start;
  while (at !== undefined && path.length < all.length) {
    const certificate: Certificate | undefined = all[at];
    if (!certificate) break;
    path.push(certificate);
    at = certificate.signer === at ? undefined : certificate.signer;
  }
  return path;
}

/**
 * TLS requires each certificate to be followed by its issuer (RFC 5246, section 7.4.2), and certd uses the first
 * certificate of a file as the one whose key it holds. A file of CAs alone may be a trust bundle, where order is irrelevant.
 */
function wrongOrder(all: readonly Certificate[]): Problem[] {
  const follows = (i: number) => i > 0 && all[i - 1]?.signer === i;
  const wrong = all.flatMap(({ signer }, i) => {
    if (signer === undefined || signer === i) return [];
    const skipsForward = signer > i + 1;
    // An issuer above its certificate, unless it ends another chain there: several chains can share an issuer.
    const standsBefore = signer < i && !follows(signer);
    return skipsForward || standsBefore ? [i] : [];
  });
  const [first] = wrong;
  const certificate = first === undefined ? undefined : all[first];
  const issuer = certificate?.signer === undefined ? undefined : all[certificate.signer];
  if (first === undefined || !certificate || !issuer) return [];
  const clause = `${nameOf(certificate)} is at position ${first + 1} and its issuer ${nameOf(issuer)} at position ${(certificate.signer ?? 0) + 1}: each certificate must be followed by its issuer`;
  if (all.some(({ isCa }) => !isCa)) return [{ status: 'fail', reason: 'wrong_order', clause }];
  return [{ status: 'warn', reason: 'wrong_order', clause: `${clause}, unless this is a trust bundle` }];
}

function brokenLinks(all: readonly Certificate[]): Problem[] {
  return all.flatMap((certificate, i): Problem[] => {
    if (certificate.signer !== undefined) return [];
    if (all.some(({ subject }, j) => j !== i && subject === certificate.issuer)) {
      const clause = `${nameOf(certificate)} was not signed with the key of the certificate of ${shortened(certificate.issuer)} in the same file or chain`;
      return [{ status: 'fail', reason: 'broken_link', clause }];
    }
    const next = all[i + 1];
    // Another CA after a leaf and its issuers is meant as the next link.
    if (!next?.isCa || !belongsToLeaf(all, i)) return [];
    const clause = `${nameOf(certificate)} was issued by ${shortened(certificate.issuer)}, but ${nameOf(next)} follows it`;
    return [{ status: 'fail', reason: 'broken_link', clause }];
  });
}

/** Whether a certificate is a leaf, or part of the unbroken chain that starts at one. */
function belongsToLeaf(all: readonly Certificate[], i: number): boolean {
  if (all[i]?.isCa === false) return true;
  return i > 0 && all[i - 1]?.signer === i && belongsToLeaf(all, i - 1);
}

function issuerProblems(issuer: Certificate, issued: readonly Certificate[]): Problem[] {
  const [one] = issued;
  if (one && !issuer.isCa) {
    const clause = `${nameOf(issuer)} has issued ${nameOf(one)} but is not a CA: its basic constraints do not say CA`;
    return [{ status: 'fail', reason: 'not_a_ca', clause }];
  }
  if (issuer.isCa && issuer.keyUsage?.includes('keyCertSign') === false) {
    const clause = `${nameOf(issuer)} is a CA whose key usage (${issuer.keyUsage.join(', ')}) does not allow keyCertSign`;
    return [{ status: 'fail', reason: 'key_usage', clause }];
  }
  return [];
}

/**
 * RFC 5280, section 4.2.1.9: a CA has at most as many CAs below it as its path length says, not counting those that issued
 * themselves. A CA at the end of the path counts as well, because it is there to issue, as IoT Edge's own CA does.
 */
export function pathProblems(path: readonly Certificate[]): Problem[] {
  return path.flatMap((authority, i): Problem[] => {
    const below = path.slice(0, i).filter(({ isCa, subject, issuer }) => isCa && subject !== issuer).length;
    const { pathLength } = authority;
    if (pathLength === undefined || below <= pathLength) return [];
    const clause = `${nameOf(authority)} allows ${pathLength} CAs below it, but there are ${below}`;
    return [{ status: 'fail', reason: 'path_too_long', clause }];
  });
}

/** The smallest keys with 112 bits of security (NIST SP 800-131A). */
const leastBits: Readonly<Record<string, number>> = { rsa: 2048, 'rsa-pss': 2048, dsa: 2048, ec: 256 };

const weakHashes: readonly (string | undefined)[] = ['MD2', 'MD5', 'SHA-1'];

function weaknesses(certificate: Certificate): Problem[] {
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

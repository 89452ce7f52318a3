import type { Certificate } from '../../host/certificates/types.ts';
import { isQuickstartCa } from './quickstart-ca.ts';

/** Something wrong with certificates that belong together. `clause` is its message, or its part of it. */
export interface Problem<Reason extends string = ChainReason> {
  readonly status: 'warn' | 'fail';
  readonly reason: Reason;
  readonly clause: string;
}

/** What can be wrong with a chain wherever it stands. */
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
 * What is wrong with certificates in the order of their file or handshake, the gravest first. What keeps a TLS client
 * from accepting the chain fails; what is merely weak, or provisional, warns.
 *
 * Certificates of which none has issued another are judged alone: a single one, a bundle of roots, several leaves.
 */
export function chainProblems(certificates: readonly Certificate[]): readonly Problem[] {
  const problems = [
    ...brokenLinks(certificates),
    ...wrongOrder(certificates),
    ...certificates.flatMap((each, i) => issuerProblems(each, issuedBy(certificates, i))),
    ...certificates.flatMap((_, i) => pathProblems(pathFrom(certificates, i))),
    ...certificates.flatMap(weaknesses),
  ];
  // One authority may stand in many paths.
  const distinct = new Map(problems.map((problem) => [`${problem.reason} ${problem.clause}`, problem]));
  return [...distinct.values()].sort((a, b) => Number(b.status === 'fail') - Number(a.status === 'fail'));
}

/** The certificate's name as it stands in messages: an issuer may be named with anything. */
export const nameOf = ({ subject }: Certificate): string => shortened(subject);
export const shortened = (name: string): string => (name.length > 120 ? `${name.slice(0, 117)}...` : name);

const issuedBy = (all: readonly Certificate[], i: number): readonly Certificate[] =>
  all.filter(({ signer }, j) => signer === i && j !== i);

/** From a certificate to the last issuer that is there. */
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
 * TLS wants each certificate followed by its issuer (RFC 5246, section 7.4.2), and certd takes the first of a file for
 * the one whose key it holds. Of authorities alone it may also be a trust bundle, in which order means nothing.
 */
function wrongOrder(all: readonly Certificate[]): Problem[] {
  const follows = (i: number) => i > 0 && all[i - 1]?.signer === i;
  const wrong = all.flatMap(({ signer }, i) => {
    if (signer === undefined || signer === i) return [];
    const skipsForward = signer > i + 1;
    // An issuer above what it issued, unless it closes a chain of its own there, as where several chains share it.
    const standsBefore = signer < i && !follows(signer);
    return skipsForward || standsBefore ? [i] : [];
  });
  const [first] = wrong;
  const certificate = first === undefined ? undefined : all[first];
  const issuer = certificate?.signer === undefined ? undefined : all[certificate.signer];
  if (first === undefined || !certificate || !issuer) return [];
  const clause = `${nameOf(certificate)} stands at place ${first + 1} and its issuer ${nameOf(issuer)} at place ${(certificate.signer ?? 0) + 1}: each certificate must be followed by its issuer`;
  if (all.some(({ isCa }) => !isCa)) return [{ status: 'fail', reason: 'wrong_order', clause }];
  return [{ status: 'warn', reason: 'wrong_order', clause: `${clause}, unless this is a trust bundle` }];
}

function brokenLinks(all: readonly Certificate[]): Problem[] {
  return all.flatMap((certificate, i): Problem[] => {
    if (certificate.signer !== undefined) return [];
    if (all.some(({ subject }, j) => j !== i && subject === certificate.issuer)) {
      const clause = `${nameOf(certificate)} was not signed with the key of the certificate of ${shortened(certificate.issuer)} beside it`;
      return [{ status: 'fail', reason: 'broken_link', clause }];
    }
    const next = all[i + 1];
    // After a leaf and its issuers comes another authority: meant as the next link, or it would have no business here.
    if (!next?.isCa || !belongsToLeaf(all, i)) return [];
    const clause = `${nameOf(certificate)} was issued by ${shortened(certificate.issuer)}, but ${nameOf(next)} follows it`;
    return [{ status: 'fail', reason: 'broken_link', clause }];
  });
}

/** Whether a certificate is a leaf or stands in the unbroken chain below one. */
function belongsToLeaf(all: readonly Certificate[], i: number): boolean {
  if (all[i]?.isCa === false) return true;
  return i > 0 && all[i - 1]?.signer === i && belongsToLeaf(all, i - 1);
}

function issuerProblems(issuer: Certificate, issued: readonly Certificate[]): Problem[] {
  const [one] = issued;
  if (one && !issuer.isCa) {
    const clause = `${nameOf(issuer)} has issued ${nameOf(one)} but is no authority: its basic constraints do not say CA`;
    return [{ status: 'fail', reason: 'not_a_ca', clause }];
  }
  if (issuer.isCa && issuer.keyUsage?.includes('keyCertSign') === false) {
    const clause = `${nameOf(issuer)} is an authority whose key usage (${issuer.keyUsage.join(', ')}) does not allow keyCertSign`;
    return [{ status: 'fail', reason: 'key_usage', clause }];
  }
  return [];
}

/**
 * RFC 5280, section 4.2.1.9: the authorities below one, but for those that issued themselves, are at most its path
 * length. An authority at the end counts as well, for it is there to issue, as IoT Edge's own does.
 */
export function pathProblems(path: readonly Certificate[]): Problem[] {
  return path.flatMap((authority, i): Problem[] => {
    const below = path.slice(0, i).filter(({ isCa, subject, issuer }) => isCa && subject !== issuer).length;
    const { pathLength } = authority;
    if (pathLength === undefined || below <= pathLength) return [];
    const clause = `${nameOf(authority)} allows ${pathLength} authorities below it, and there are ${below}`;
    return [{ status: 'fail', reason: 'path_too_long', clause }];
  });
}

/** NIST SP 800-131A: 112 bits of security. */
const leastBits: Readonly<Record<string, number>> = { rsa: 2048, 'rsa-pss': 2048, dsa: 2048, ec: 256 };

const weakHashes: readonly (string | undefined)[] = ['MD2', 'MD5', 'SHA-1'];

function weaknesses(certificate: Certificate): Problem[] {
  const { keyType, keyBits, signatureHash, selfSigned } = certificate;
  const found: Problem[] = [];
  const least = leastBits[keyType];
  if (least !== undefined && keyBits !== undefined && keyBits < least) {
    const clause = `${nameOf(certificate)} has a key of ${keyBits} bits (${keyType}), and ${least} is the least that is safe`;
    found.push({ status: 'warn', reason: 'weak_key', clause });
  }
  // A root is trusted for being there; nobody looks at its signature.
  if (!selfSigned && weakHashes.includes(signatureHash)) {
    const clause = `${nameOf(certificate)} is signed with ${signatureHash}, which newer TLS libraries refuse`;
    found.push({ status: 'warn', reason: 'weak_signature', clause });
  }
  if (isQuickstartCa(certificate)) {
    const clause = `${nameOf(certificate)} is the authority that IoT Edge makes for itself in a quickstart installation: not meant for production, and renewed with a restart of all modules`;
    found.push({ status: 'warn', reason: 'quickstart_ca', clause });
  }
  return found;
}

import type { Endpoint } from '../../endpoint.ts';
import type { Certificate, PresentedChain, Verification } from '../../host/certificates/types.ts';
import { chainProblems, namedLikeIssuer, weaknesses, wrongOrder } from './chain-problems.ts';
import { isIotHubRoot, isNamedAsIotHubRoot, isQuickstartCa } from './known-authorities.ts';
import { pathFrom, pathProblems } from './path-problems.ts';
import { type ChainReason, nameOf, type Problem, shortened, worstFirst } from './problem.ts';
import type { Origin } from './subjects.ts';

/** What can be wrong with a chain that a server presents. */
export type WireReason = ChainReason | 'name_mismatch' | 'untrusted_root' | 'intercepted' | 'rejected';

interface Place {
  readonly origin: Origin;
  readonly endpoint: Endpoint;
  readonly now: Date;
}

/** What keeps a client on this device from accepting a presented chain, and what is weak in it, worst first. */
export function wireProblems(chain: PresentedChain, place: Place): readonly Problem<WireReason>[] {
  const found = [...authorityProblems(chain, place.origin), ...nameProblems(chain, place.endpoint)];
  const { certificates, authority } = chain;
  try {
    found.push(...(authority ? trustedProblems(certificates, authority) : untrustedProblems(chain)));
  } catch (error) {
    // What the server makes too large to judge must not hide what is already known to be wrong.
    if (!found.some(({ status }) => status === 'fail')) throw error;
  }
  return worstFirst(asVerified(found, chain, place.now));
}

/** Extra certificates next to a complete chain do no harm. */
function trustedProblems(all: readonly Certificate[], authority: Certificate): readonly Problem[] {
  const path = pathTo(authority, pathFrom(all, 0));
  const sent = all.some(({ fingerprint256 }) => fingerprint256 === authority.fingerprint256);
  return [
    ...wrongOrder(
      all,
      [...all.keys()].filter((i) => path.some((each) => each === all[i])),
    ),
    ...path.flatMap(namedLikeIssuer),
    ...pathProblems(path, ['server']),
    ...all.flatMap(weaknesses),
    ...(!sent && isQuickstartCa(authority) ? weaknesses(authority) : []),
  ];
}

const untrustedProblems = ({ certificates }: PresentedChain): readonly Problem[] => [
  ...chainProblems(certificates),
  ...pathProblems(pathFrom(certificates, 0), ['server']),
];

/** A path that ends with the authority, which is part of it or has issued the last certificate with that issuer. */
function pathTo(authority: Certificate, path: readonly Certificate[]): readonly Certificate[] {
  const own = path.findIndex(({ fingerprint256 }) => fingerprint256 === authority.fingerprint256);
  if (own >= 0) return path.slice(0, own + 1);
  const issued = path.findLastIndex(({ issuer }) => issuer === authority.subject);
  return [...path.slice(0, issued < 0 ? path.length : issued + 1), authority];
}

function authorityProblems(
  { certificates, authority, trustProblem, verification }: PresentedChain,
  origin: Origin,
): readonly Problem<WireReason>[] {
  const top = pathFrom(certificates, 0).at(-1);
  if (!top) return [];
  const leads = `the chain leads to ${shortened(authority?.subject ?? top.issuer)}`;
  const isRoot = authority?.selfSigned === true;
  const known = isRoot ? isIotHubRoot(authority) : isNamedAsIotHubRoot((authority ?? top).issuer);
  if (origin === 'iothub' && !known) {
    const clause = `${leads}, which is not a root that IoT Hub uses: TLS is intercepted on the way`;
    return [{ status: 'fail', reason: 'intercepted', clause }];
  }
  if (isRoot || verification?.accepted) return [];
  if (authority) {
    const clause = `${leads}, an intermediate that this device trusts without the root above it, ${shortened(authority.issuer)}`;
    return [{ status: 'fail', reason: 'untrusted_root', clause }];
  }
  if (trustProblem !== undefined) return [];
  return [{ status: 'fail', reason: 'untrusted_root', clause: `${leads}, which this device does not trust` }];
}

function nameProblems(
  { certificates, namesHost }: PresentedChain,
  { host }: Endpoint,
): readonly Problem<WireReason>[] {
  const [leaf] = certificates;
  if (namesHost || !leaf) return [];
  const names = leaf.subjectAltNames.slice(0, 5).join(', ') || 'no name';
  return [
    { status: 'fail', reason: 'name_mismatch', clause: `the certificate is for ${names}, not for ${host}` },
  ];
}

/** Reasons that are not about what the TLS library verifies. */
const beyondVerification: readonly WireReason[] = ['name_mismatch', 'wrong_order', 'intercepted'];
const weakReasons: readonly WireReason[] = ['weak_key', 'weak_signature'];

/**
 * Problems in agreement with the verdict of this device's TLS library: what it accepts is no failure, and what it rejects is one,
 * even if none of the problems explains why.
 */
function asVerified(
  problems: readonly Problem<WireReason>[],
  chain: PresentedChain,
  now: Date,
): readonly Problem<WireReason>[] {
  const { verification } = chain;
  if (!verification) return problems;
  if (verification.accepted) {
    return problems.map((problem) =>
      problem.status === 'warn' || beyondVerification.includes(problem.reason)
        ? problem
        : { ...problem, status: 'warn', clause: `${problem.clause}; TLS on this device accepts the chain` },
    );
  }
  const explained = problems.some(
    ({ status, reason }) =>
      status === 'fail' && (reason === 'intercepted' || !beyondVerification.includes(reason)),
  );
  if (explained || isReportedElsewhere(verification, chain, now)) return problems;
  const rejects = 'TLS on this device rejects';
  if (!(verification.code in reasonsByCode) && problems.some(({ reason }) => weakReasons.includes(reason))) {
    return problems.map((problem) =>
      weakReasons.includes(problem.reason)
        ? { ...problem, status: 'fail', clause: `${problem.clause}; ${rejects} the chain` }
        : problem,
    );
  }
  const [leaf] = chain.certificates;
  const clause = `${rejects} the certificate of ${leaf ? nameOf(leaf) : 'the server'}: ${verification.clause} (${verification.code})`;
  return [...problems, { status: 'fail', reason: reasonsByCode[verification.code] ?? 'rejected', clause }];
}

/** OpenSSL's results, by their names in Node.js, that a reason of this check expresses. */
const reasonsByCode: Readonly<Record<string, WireReason>> = {
  CERT_CHAIN_TOO_LONG: 'path_too_long',
  CERT_HAS_EXPIRED: 'untrusted_root',
  CERT_NOT_YET_VALID: 'untrusted_root',
  CERT_REJECTED: 'untrusted_root',
  CERT_SIGNATURE_FAILURE: 'broken_link',
  CERT_UNTRUSTED: 'untrusted_root',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'untrusted_root',
  INVALID_CA: 'not_a_ca',
  INVALID_PURPOSE: 'key_usage',
  PATH_LENGTH_EXCEEDED: 'path_too_long',
  SELF_SIGNED_CERT_IN_CHAIN: 'untrusted_root',
  UNABLE_TO_GET_ISSUER_CERT: 'untrusted_root',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'untrusted_root',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'untrusted_root',
};

/** Presented dates are reported by certificateExpiry; an authority may be missing because the trust bundle was not read. */
function isReportedElsewhere(
  { code }: Extract<Verification, { accepted: false }>,
  { certificates, authority, trustProblem }: PresentedChain,
  now: Date,
): boolean {
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return !certificates.every(isValidAt(now));
  return reasonsByCode[code] === 'untrusted_root' && !authority && trustProblem !== undefined;
}

/** Whether a certificate's dates include a time. */
export const isValidAt =
  (now: Date) =>
  ({ notBefore, notAfter }: Certificate): boolean =>
    notBefore <= now && now <= notAfter;

import type { Endpoint } from '../../endpoint.ts';
import type { PresentedChain } from '../../host/certificates/types.ts';
import {
  type ChainReason,
  chainProblems,
  nameOf,
  type Problem,
  pathFrom,
  pathProblems,
  shortened,
} from './chain-problems.ts';
import { isIotHubRoot, isNamedAsIotHubRoot } from './iothub-roots.ts';
import { isQuickstartCa } from './quickstart-ca.ts';
import type { Origin } from './subjects.ts';

/** What can be wrong with a chain that a server presents. */
export type WireReason = ChainReason | 'name_mismatch' | 'untrusted_root' | 'intercepted';

// RFC 5280, section 4.2.1.12: serverAuth, anyExtendedKeyUsage.
const serverUsages: readonly string[] = ['1.3.6.1.5.5.7.3.1', '2.5.29.37.0'];

/** What keeps a client on this device from accepting a presented chain, and what is weak in it, worst first. */
export function wireProblems(
  chain: PresentedChain,
  { origin, endpoint }: { readonly origin: Origin; readonly endpoint: Endpoint },
): readonly Problem<WireReason>[] {
  const problems = [
    ...authorityProblems(chain, origin),
    ...nameProblems(chain, endpoint),
    ...usageProblems(chain),
    // Extra certificates next to a complete chain do no harm.
    ...chainProblems(chain.certificates).filter(({ reason }) => reason !== 'broken_link' || !chain.authority),
  ];
  return problems.sort((a, b) => Number(b.status === 'fail') - Number(a.status === 'fail'));
}

function authorityProblems({ certificates, authority, trustProblem }: PresentedChain, origin: Origin) {
  const problems: Problem<WireReason>[] = [];
  const path = pathFrom(certificates, 0);
  const top = path.at(-1);
  if (!top) return problems;
  const issuer = shortened(authority?.subject ?? top.issuer);
  const leads = `the chain leads to ${issuer}`;
  const known = authority ? isIotHubRoot(authority) : isNamedAsIotHubRoot(top.issuer);
  if (origin === 'iothub' && !known) {
    const clause = `${leads}, which is not a root that IoT Hub uses: TLS is intercepted on the way`;
    problems.push({ status: 'fail', reason: 'intercepted', clause });
  } else if (!authority && trustProblem === undefined) {
    const clause = `${leads}, which this device does not trust`;
    problems.push({ status: 'fail', reason: 'untrusted_root', clause });
  }
  const sent = certificates.some(({ fingerprint256 }) => fingerprint256 === authority?.fingerprint256);
  if (!authority || sent) return problems;
  problems.push(...pathProblems([...path, authority]));
  if (isQuickstartCa(authority)) problems.push(...chainProblems([authority]));
  return problems;
}

function nameProblems(
  { certificates, namesHost }: PresentedChain,
  { host }: Endpoint,
): Problem<WireReason>[] {
  const [leaf] = certificates;
  if (namesHost || !leaf) return [];
  const names = leaf.subjectAltNames.slice(0, 5).join(', ') || 'no name';
  return [
    { status: 'fail', reason: 'name_mismatch', clause: `the certificate is for ${names}, not for ${host}` },
  ];
}

function usageProblems({ certificates: [leaf] }: PresentedChain): Problem<WireReason>[] {
  if (!leaf?.extendedKeyUsage || leaf.extendedKeyUsage.some((usage) => serverUsages.includes(usage)))
    return [];
  const clause = `${nameOf(leaf)} cannot be used by a server: its extended key usage lacks serverAuth`;
  return [{ status: 'fail', reason: 'key_usage', clause }];
}

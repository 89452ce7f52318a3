import type { Check } from '../check.ts';
import type { PolicyState } from '../run/report.ts';
import { type Policy, readPolicy } from './policy.ts';

/** The policy that is being followed, and what became of the last one that was asked for. */
export interface PolicyInForce extends PolicyState {
  readonly policy: Policy;
  /** The policy in force as it was given, without defaults. */
  readonly document: unknown;
  /** When the policy in force was accepted. */
  readonly acceptedAt: Date;
}

/** Where a policy document was found. */
export interface Given {
  readonly source: PolicyInForce['source'];
  /** The desired `$version`; 0 for what does not come from the twin. */
  readonly version: number;
  readonly document: unknown;
}

/** The built-in policy: what an empty document means. */
export function defaultPolicy(checks: readonly Check[], now: Date): PolicyInForce {
  const outcome = readPolicy({}, checks);
  if (!outcome.accepted) throw new Error(`The built-in policy is not one: ${outcome.problems.join('; ')}`);
  const given = { source: 'default', version: 0, document: {} } as const;
  return { ...given, accepted: true, problems: [], policy: outcome.policy, acceptedAt: now };
}

/** What is in force once a document has been looked at: its policy, or else the current one with its problems. Pure. */
export function evaluate(
  current: PolicyInForce,
  { source, version, document }: Given,
  checks: readonly Check[],
  now: Date,
): PolicyInForce {
  const outcome = readPolicy(document, checks);
  if (!outcome.accepted) return { ...current, version, accepted: false, problems: outcome.problems };
  const same = JSON.stringify(outcome.policy) === JSON.stringify(current.policy);
  return {
    source,
    version,
    accepted: true,
    problems: [],
    document,
    // The same object, so that nobody takes it for a new policy.
    policy: same ? current.policy : outcome.policy,
    acceptedAt: same && current.accepted ? current.acceptedAt : now,
  };
}

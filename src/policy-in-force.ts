import type { Check } from './check.ts';
import { type Policy, readPolicy } from './policy.ts';
import type { PolicyState } from './report.ts';

/** The policy that is being followed, and what became of the last one that was asked for. */
export interface PolicyInForce extends PolicyState {
  readonly policy: Policy;
  /** The policy in force as it was given, without defaults. */
  readonly document: unknown;
  /** When the policy in force was accepted. */
  readonly acceptedAt: Date;
}

/** The desired properties of the twin. */
export interface Desired {
  /** Absent in the empty twin that edgeHub makes up while it has never reached the hub. */
  readonly version: number | undefined;
  /** The desired property `policy`; undefined where there is none. */
  readonly policy: unknown;
}

/**
 * What is in force once the twin has spoken. A bad policy leaves the last good one in force; a twin that knows
 * nothing changes nothing; a policy that was removed gives way to `fallback`. Pure.
 */
export function obey(
  current: PolicyInForce,
  desired: Desired,
  fallback: PolicyInForce,
  checks: readonly Check[],
  now: Date,
): PolicyInForce {
  const { version, policy: document } = desired;
  if (version === undefined) return current;
  if (document === undefined || document === null) return fallback;
  const outcome = readPolicy(document, checks);
  if (!outcome.accepted) return { ...current, version, accepted: false, problems: outcome.problems };
  const same = JSON.stringify(outcome.policy) === JSON.stringify(current.policy);
  return {
    source: 'twin',
    version,
    accepted: true,
    problems: [],
    document,
    // The same object, so that nobody takes it for a new policy.
    policy: same ? current.policy : outcome.policy,
    acceptedAt: same && current.accepted ? current.acceptedAt : now,
  };
}

/** A policy from elsewhere than the twin. Throws with its problems when it is not one. */
export function policyFrom(
  source: 'file' | 'saved' | 'default',
  document: unknown,
  checks: readonly Check[],
  now: Date,
  version = 0,
): PolicyInForce {
  const outcome = readPolicy(document, checks);
  if (!outcome.accepted) throw new Error(`Not a policy: ${outcome.problems.join('; ')}`);
  return { source, version, accepted: true, problems: [], document, policy: outcome.policy, acceptedAt: now };
}

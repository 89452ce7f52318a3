import type { Check } from '../check.ts';
import { type Policy, type PolicyOutcome, readPolicy } from './policy.ts';

/** What a report says of the policy in force, and the outcome of the last one that was requested. */
export interface PolicyState {
  /** The origin of the policy in force. */
  readonly source: 'twin' | 'file' | 'saved' | 'default';
  /** The desired `$version` that was read last; 0 without one. */
  readonly version: number;
  /** Whether that version is in force; otherwise an earlier policy still is. */
  readonly accepted: boolean;
  readonly problems: readonly string[];
  /** The name that the policy in force gives itself. */
  readonly note?: string | undefined;
}

/** The policy the agent follows, and the outcome of the last one that was requested. */
export interface PolicyInForce extends PolicyState {
  readonly policy: Policy;
  /** The policy in force as it was given, without defaults. */
  readonly document: unknown;
  /** When the policy in force was accepted. */
  readonly acceptedAt: Date;
  /** Why the policy file can no longer be read; the policy that was read from it last stays in force. */
  readonly fileProblem?: string | undefined;
  /** What was accepted but does not do what it says, for the acknowledgement. */
  readonly warnings: readonly string[];
}

/** A policy document and where it was found. */
export interface Requested {
  readonly source: PolicyInForce['source'];
  /** The desired `$version`; 0 for a document that does not come from the twin. */
  readonly version: number;
  readonly document: unknown;
}

/** The built-in policy, which is the meaning of an empty document. */
export function defaultPolicy(checks: readonly Check[], now: Date): PolicyInForce {
  const outcome = readPolicy({}, checks);
  if (!outcome.accepted) throw new Error(`The built-in policy is invalid: ${outcome.problems.join('; ')}`);
  const requested = { source: 'default', version: 0, document: {} } as const;
  return {
    ...requested,
    accepted: true,
    problems: [],
    policy: outcome.policy,
    acceptedAt: now,
    warnings: [],
  };
}

/** What is in force after a request: its policy if that is valid, otherwise the current one with the problems. Pure. */
export function evaluate(
  current: PolicyInForce,
  { source, version, document }: Requested,
  outcome: PolicyOutcome,
  now: Date,
): PolicyInForce {
  if (!outcome.accepted)
    return { ...current, version, accepted: false, problems: outcome.problems, warnings: [] };
  const same = JSON.stringify(outcome.policy) === JSON.stringify(current.policy);
  return {
    source,
    version,
    accepted: true,
    problems: [],
    document,
    // The same object, so that it does not count as a new policy.
    policy: same ? current.policy : outcome.policy,
    acceptedAt: same && current.accepted ? current.acceptedAt : now,
    warnings: outcome.warnings,
  };
}

import type { Check } from '../../src/check.ts';
import { type Policy, readPolicy } from '../../src/policy.ts';

/** The policy a document means; throws for one that is not accepted. */
export function policyOf(document: unknown, checks: readonly Check[]): Policy {
  const outcome = readPolicy(document, checks);
  if (!outcome.accepted) throw new Error(outcome.problems.join('; '));
  return outcome.policy;
}

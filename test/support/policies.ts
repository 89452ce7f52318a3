import type { Check } from '../../src/check.ts';
import { checks as registry } from '../../src/checks/index.ts';
import { type Policy, readPolicy } from '../../src/policy/policy.ts';

/** Every check disabled. A test enables the ones it needs; some defaults would contact hosts outside this machine. */
export const allOff = Object.fromEntries(registry.map(({ id }) => [id, { enabled: false }]));

/** Reads a policy document. Throws when it is not accepted. */
export function policyOf(document: unknown, checks: readonly Check[]): Policy {
  const outcome = readPolicy(document, checks);
  if (!outcome.accepted) throw new Error(outcome.problems.join('; '));
  return outcome.policy;
}

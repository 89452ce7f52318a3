import type { Check } from '../../src/check.ts';
import { checks as registered } from '../../src/checks/index.ts';
import { type Policy, readPolicy } from '../../src/policy/policy.ts';

/** Every check switched off, to be followed by those a test wants: the defaults of some would leave loopback. */
export const allOff = Object.fromEntries(registered.map(({ id }) => [id, { enabled: false }]));

/** The policy a document means; throws for one that is not accepted. */
export function policyOf(document: unknown, checks: readonly Check[]): Policy {
  const outcome = readPolicy(document, checks);
  if (!outcome.accepted) throw new Error(outcome.problems.join('; '));
  return outcome.policy;
}

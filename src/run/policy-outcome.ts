import type { PolicyOutcome } from '../host/agent/types.ts';
import type { PolicyInForce } from '../policy/in-force.ts';
import { isOver } from './exceptions.ts';

/** The policy in force as the checks see it. */
export const policyOutcome = (
  { source, version, accepted, problems, fileProblem, policy }: PolicyInForce,
  now: Date,
): PolicyOutcome => ({
  source,
  version,
  accepted,
  problems,
  fileProblem,
  exceptions: policy.exceptions.map((exception) => ({
    check: exception.check,
    target: exception.target,
    until: exception.until,
    over: isOver(exception, now),
  })),
});

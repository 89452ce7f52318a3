import { CannotTell } from '../../check.ts';
import { probeFailures } from './types.ts';

/**
 * An error with another reason if it is what a probe reports as a failure; any other error unchanged. For host methods
 * that do not distinguish the ways in which `target` cannot be reached.
 */
export const asReason = (reason: string, target: string, error: unknown): unknown =>
  error instanceof CannotTell && probeFailures.some((failure) => failure === error.reason)
    ? new CannotTell(reason, `${target} could not be reached: ${error.message}`, { cause: error })
    : error;

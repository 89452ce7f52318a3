import { CannotTell } from '../../check.ts';
import { isTimeout } from '../../deadline.ts';
import type { Timeline } from './timeline.ts';
import { probeFailures } from './types.ts';

/**
 * An error with another reason if it is what a probe reports as a failure; any other error unchanged. For host methods
 * that do not distinguish the ways in which `target` cannot be reached.
 */
export const asReason = (reason: string, target: string, error: unknown): unknown =>
  error instanceof CannotTell && probeFailures.some((failure) => failure === error.reason)
    ? new CannotTell(reason, `${target} could not be reached: ${error.message}`, { cause: error })
    : error;

/** The error of work whose deadline has passed: what it was waiting for. Any other error unchanged. */
export const asTimeout = (timeline: Timeline, signal: AbortSignal, error: unknown): unknown =>
  signal.aborted && isTimeout(signal.reason)
    ? new CannotTell('timed_out', `No answer to ${timeline.waitingFor()}`, { cause: signal.reason })
    : error;

import { nextMatch, parseCron } from '../policy/cron.ts';

/** A cron schedule that fires until it is stopped. */
export interface Scheduled {
  /** Milliseconds by which the next run is overdue; 0 for one that is not. */
  overdueMs(): number;
  stop(): void;
}

/** Starts a schedule. See {@link schedule}. */
export type Schedule = (expression: string, run: () => void) => Scheduled;

// Timers follow the monotonic clock, so this bounds how late a jump of the wall clock is noticed.
const pollMs = 30_000;
// A clock that is set back by less does not make anything run twice.
const setBackMs = 60_000;

/**
 * Calls `run` by a cron expression in UTC. After the clock jumps forward, as it does when the host has slept, the missed
 * runs are made up for by one; after it is set back, the new time applies.
 */
export const schedule: Schedule = (expression, run) => {
  const cron = parseCron(expression);
  let due = 0;
  let dueBy = 0;
  let polledAt = Date.now();
  let next: NodeJS.Timeout | undefined;

  function expectNext(): void {
    due = nextMatch(cron, Date.now());
    dueBy = performance.now() + due - Date.now();
  }

  function poll(): void {
    const now = Date.now();
    const fires = now >= due;
    if (fires || now < polledAt - setBackMs) expectNext();
    polledAt = now;
    next = setTimeout(poll, Math.min(pollMs, due - now));
    // Last, because it may stop this schedule.
    if (fires) run();
  }

  expectNext();
  poll();
  return {
    overdueMs: () => Math.max(0, performance.now() - dueBy),
    stop() {
      clearTimeout(next);
    },
  };
};

import { nextMatch, parseCron } from '../policy/cron.ts';

/** A cron schedule that fires until it is stopped. */
export interface Scheduled {
  /** Milliseconds by which the next run is overdue; 0 for one that is not. */
  overdueMs(): number;
  stop(): void;
}

/** Starts a schedule. See {@link schedule}. */
export type Schedule = (expression: string, jitterSeconds: number, run: () => void) => Scheduled;

// Timers follow the monotonic clock, so this bounds how late a jump of the wall clock is noticed.
const pollMs = 30_000;
// A clock that is set back by less does not make anything run twice.
const setBackMs = 60_000;

/**
 * Calls `run` by a cron expression in UTC, each time up to `jitterSeconds` late. After the clock jumps forward, as it
 * does when the host has slept, the missed runs are made up for by one; after it is set back, the new time applies.
 */
export const schedule: Schedule = (expression, jitterSeconds, run) => {
  const cron = parseCron(expression);
  const jitterMs = jitterSeconds * 1000;
  let due = 0;
  let dueBy = 0;
  let polledAt = Date.now();
  let next: NodeJS.Timeout | undefined;
  let delayed: NodeJS.Timeout | undefined;

  function expectNext(): void {
    due = nextMatch(cron, Date.now());
    dueBy = performance.now() + due - Date.now() + jitterMs;
  }

  function fire(): void {
    delayed ??= setTimeout(() => {
      delayed = undefined;
      run();
    }, Math.random() * jitterMs);
  }

  function poll(): void {
    const now = Date.now();
    if (now >= due) fire();
    if (now >= due || now < polledAt - setBackMs) expectNext();
    polledAt = now;
    next = setTimeout(poll, Math.min(pollMs, due - now));
  }

  expectNext();
  poll();
  return {
    overdueMs: () => Math.max(0, performance.now() - dueBy),
    stop() {
      clearTimeout(next);
      clearTimeout(delayed);
    },
  };
};

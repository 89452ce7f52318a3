import cron from 'node-cron';

/** A cron line that fires until it is stopped. */
export interface Scheduled {
  /** Milliseconds by which the next firing is overdue; 0 while all is well. */
  overdueMs(): number;
  stop(): void;
}

/** Starts to fire. See {@link schedule}. */
export type Schedule = (expression: string, jitterSeconds: number, run: () => void) => Scheduled;

// Timers count monotonic time; this is how soon a jump of the wall clock is noticed.
const lookEveryMs = 30_000;
// A clock that is set back by less makes nothing fire twice.
const setBackMs = 60_000;

/**
 * Fires `run` by a cron expression in UTC, each time up to `jitterSeconds` late. When the clock jumps forward, as it
 * does after the host has slept, what was missed is made up for once; when it is set back, its new time counts.
 */
export const schedule: Schedule = (expression, jitterSeconds, run) => {
  // Asked for the next match only: node-cron's own loop goes through all that was missed one by one, minutes of work
  // for a clock that starts in 1970, and after the clock was set back it waits for the old time to come again.
  const matches = cron.createTask(expression, () => {}, { timezone: 'UTC' });
  const jitterMs = jitterSeconds * 1000;
  let due = 0;
  let dueBy = 0;
  let lookedAt = Date.now();
  let next: NodeJS.Timeout | undefined;
  let delayed: NodeJS.Timeout | undefined;

  function expectNext(): void {
    due = matches.getNextRuns(1)[0]?.getTime() ?? Number.POSITIVE_INFINITY;
    dueBy = performance.now() + due - Date.now() + jitterMs;
  }

  function fire(): void {
    delayed ??= setTimeout(() => {
      delayed = undefined;
      run();
    }, Math.random() * jitterMs);
  }

  function look(): void {
    const now = Date.now();
    if (now >= due) fire();
    if (now >= due || now < lookedAt - setBackMs) expectNext();
    lookedAt = now;
    next = setTimeout(look, Math.min(lookEveryMs, due - now));
  }

  expectNext();
  look();
  return {
    overdueMs: () => Math.max(0, performance.now() - dueBy),
    stop() {
      clearTimeout(next);
      clearTimeout(delayed);
      void matches.destroy();
    },
  };
};

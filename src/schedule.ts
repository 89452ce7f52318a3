import cron from 'node-cron';

/** A cron line that fires until it is stopped. */
export interface Scheduled {
  /** Milliseconds by which the next firing is overdue; 0 while all is well. */
  overdueMs(): number;
  stop(): void;
}

export type Schedule = (expression: string, jitterSeconds: number, run: () => void) => Scheduled;

/** Fires `run` by a cron expression in UTC, each time up to `jitterSeconds` late. */
export const schedule: Schedule = (expression, jitterSeconds, run) => {
  let dueBy = Number.POSITIVE_INFINITY;
  const options = {
    timezone: 'UTC',
    maxRandomDelay: jitterSeconds * 1000,
    suppressMissedWarning: true,
  };
  const expectNext = () => {
    dueBy = performance.now() + (task.msToNext() ?? Number.POSITIVE_INFINITY) + options.maxRandomDelay;
  };
  const fire = () => {
    expectNext();
    run();
  };
  const task = cron.createTask(expression, fire, options);
  // After the host has slept, the run that was missed is made up for at once.
  task.on('execution:missed', fire);
  void task.start();
  expectNext();
  return {
    overdueMs: () => Math.max(0, performance.now() - dueBy),
    stop: () => void task.destroy(),
  };
};

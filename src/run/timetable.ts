import { networkGapSeconds, usesNetwork } from '../check.ts';
import type { Policy } from '../policy/policy.ts';
import type { Schedule, Scheduled } from './schedule.ts';
import { createSpacing } from './spacing.ts';
import type { Watch } from './watch.ts';

/** When the checks run. */
export interface Timetable {
  /** Replaces all schedules by those of a policy. */
  follow(policy: Policy): void;
  /** Runs every check as if its schedule said so. */
  runAll(): void;
  /** Milliseconds by which the latest run is overdue. */
  overdueMs(): number;
  stop(): void;
}

/**
 * Follows the schedules of checks. One that uses the network runs every 30 s at most, whatever its schedule.
 *
 * @param run starts some checks.
 */
export function createTimetable(
  watches: readonly Watch[],
  schedule: Schedule,
  run: (some: readonly Watch[]) => void,
): Timetable {
  let scheduled: readonly Scheduled[] = [];
  let current: Policy | undefined;

  function gapMs({ check }: Watch): number {
    const params = current?.checks[check.id];
    return params && usesNetwork(check, params) ? networkGapSeconds * 1000 : 0;
  }
  const spacing = createSpacing(gapMs, (watch: Watch) => run([watch]));

  function stop(): void {
    for (const task of scheduled) task.stop();
    spacing.stop();
  }

  return {
    follow(policy) {
      stop();
      current = policy;
      const enabled = watches.filter(({ check }) => policy.checks[check.id]?.enabled);
      const expressionOf = ({ check }: Watch) => policy.checks[check.id]?.schedule ?? policy.schedule;
      // One cron task for each distinct schedule, so that checks which share one make one report.
      scheduled = [...new Set(enabled.map(expressionOf))].map((expression) => {
        const together = enabled.filter((watch) => expressionOf(watch) === expression);
        return schedule(expression, policy.jitterSeconds, () => run(spacing.due(together)));
      });
    },
    runAll: () => run(spacing.due(watches)),
    overdueMs: () => Math.max(0, ...scheduled.map((task) => task.overdueMs())),
    stop,
  };
}

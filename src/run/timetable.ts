import { networkGapSeconds, usesNetwork } from '../check.ts';
import type { Policy } from '../policy/policy.ts';
import { createJitter } from './jitter.ts';
import type { Schedule, Scheduled } from './schedule.ts';
import { createSpacing } from './spacing.ts';
import type { Watch } from './watch.ts';

/** When the checks run. */
export interface Timetable {
  /** Follows the schedules of a policy from now on. Runs that are waiting stay, if their check is still enabled. */
  follow(policy: Policy): void;
  /** Runs every check, except for those that use the network and have just run. */
  runAll(): void;
  /**
   * Runs a check because of an event: at once, unless its last runs for events were {@link eventBurst} in a row. Returns false
   * where it is disabled or such a run is already waiting.
   */
  runSoon(watch: Watch): boolean;
  /** These checks run now for a reason that does not wait: their next scheduled runs keep the gap. */
  began(some: readonly Watch[]): void;
  /** Milliseconds by which the latest run is overdue. */
  overdueMs(): number;
  stop(): void;
}

export interface TimetableOptions {
  readonly watches: readonly Watch[];
  readonly schedule: Schedule;
  /** Of the delay that spreads a fleet: from 0 to less than 1. */
  readonly random: () => number;
  /** Starts some checks. */
  run(some: readonly Watch[]): void;
}

/** Events in a row that make a check run at once; on average it runs for them as rarely as by schedule. */
const eventBurst = 3;

/** Follows the schedules of checks. One that uses the network runs every 30 s at most, whatever the schedule. */
export function createTimetable({ watches, schedule, random, run }: TimetableOptions): Timetable {
  const tasks = new Map<string, Scheduled>();
  let current: Policy | undefined;
  // A policy may disable a check while its run is waiting.
  const spacing = createSpacing(gapMs, (watch: Watch) => run([watch].filter(isEnabled)));
  const events = createSpacing(gapMs, (watch: Watch) => runForEvent([watch].filter(isEnabled)), eventBurst);
  const jitter = createJitter(random, (some: readonly Watch[]) => run(spacing.due(some.filter(isEnabled))));

  function gapMs({ check }: Watch): number {
    const params = current?.checks[check.id];
    return params && usesNetwork(check, params) ? networkGapSeconds * 1000 : 0;
  }

  function isEnabled({ check }: Watch): boolean {
    return current?.checks[check.id]?.enabled === true;
  }

  function runForEvent(some: readonly Watch[]): void {
    spacing.began(some);
    run(some);
  }

  const expressionOf = ({ check }: Watch) => current?.checks[check.id]?.schedule ?? current?.schedule ?? '';
  const enabled = () => watches.filter(isEnabled);

  return {
    follow(policy) {
      current = policy;
      jitter.setLongest(policy.jitterSeconds * 1000);
      const expressions = new Set(enabled().map(expressionOf));
      // A task whose schedule stays goes on, so that a run which is due right now is not lost.
      for (const [expression, task] of tasks) {
        if (expressions.delete(expression)) continue;
        task.stop();
        tasks.delete(expression);
      }
      // One task for each distinct schedule, so that checks which share one make one report.
      for (const expression of expressions) {
        const together = () => enabled().filter((watch) => expressionOf(watch) === expression);
        tasks.set(
          expression,
          schedule(expression, () => jitter.delay(together())),
        );
      }
    },
    runAll: () => run(spacing.due(watches.filter((watch) => !spacing.isResting(watch)))),
    runSoon(watch) {
      if (!isEnabled(watch) || events.isWaiting(watch)) return false;
      runForEvent(events.due([watch]));
      return true;
    },
    began: spacing.began,
    overdueMs: () => Math.max(0, ...[...tasks.values()].map((task) => task.overdueMs())),
    stop() {
      for (const task of tasks.values()) task.stop();
      tasks.clear();
      jitter.stop();
      spacing.stop();
      events.stop();
    },
  };
}

import type { Status } from '../check.ts';
import type { Finding } from './runner.ts';

/** A finding as it is reported, with the moment since which it has had its status. */
export interface ConfirmedFinding extends Finding {
  readonly since: string;
}

/** A confirmed change of status. `undefined` stands for a finding that did not exist before, or no longer does. */
export interface Change {
  readonly target: string;
  readonly previous: Status | undefined;
  readonly finding: ConfirmedFinding | undefined;
}

/** Targets whose status has changed, and when a run may confirm that: monotonic milliseconds. */
export type Pending = ReadonlyMap<string, number>;

/** When a run was made, and how long a change must last. */
export interface Timing {
  readonly now: Date;
  /** Monotonic milliseconds. */
  readonly nowMs: number;
  /** 0 confirms every change at once. */
  readonly confirmAfterMs: number;
}

// Timers fire a little early.
const earlyMs = 50;

/** The outcome of {@link confirm}. */
export interface Confirmation {
  readonly confirmed: readonly ConfirmedFinding[];
  readonly pending: Pending;
  readonly changes: readonly Change[];
}

/**
 * Compares a run with what was reported before. A change of status, including a finding that appears or disappears, is
 * confirmed by the first run that still sees it `confirmAfterMs` after the run that saw it first, whatever the runs in
 * between saw. Until then the earlier finding is reported, with fresh readings.
 */
export function confirm(
  before: { readonly confirmed: readonly ConfirmedFinding[]; readonly pending: Pending },
  seen: readonly Finding[],
  { now, nowMs, confirmAfterMs }: Timing,
): Confirmation {
  const earlier = new Map(before.confirmed.map((finding) => [finding.target, finding]));
  const gone = before.confirmed.filter(({ target }) => !seen.some((finding) => finding.target === target));
  const dueAt = (target: string) => before.pending.get(target) ?? nowMs + confirmAfterMs;
  const settled = (target: string) => dueAt(target) <= nowMs + earlyMs || confirmAfterMs === 0;

  const confirmed: ConfirmedFinding[] = [];
  const pending = new Map<string, number>();
  const changes: Change[] = [];
  for (const finding of seen) {
    const { target, status } = finding;
    const previous = earlier.get(target);
    if (previous?.status === status) {
      confirmed.push({ ...finding, since: previous.since });
    } else if (settled(target)) {
      const news = { ...finding, since: now.toISOString() };
      confirmed.push(news);
      changes.push({ target, previous: previous?.status, finding: news });
    } else {
      pending.set(target, dueAt(target));
      if (previous) confirmed.push({ ...previous, readings: finding.readings ?? [] });
    }
  }
  for (const finding of gone) {
    if (settled(finding.target)) {
      changes.push({ target: finding.target, previous: finding.status, finding: undefined });
    } else {
      pending.set(finding.target, dueAt(finding.target));
      confirmed.push(finding);
    }
  }
  return { confirmed, pending, changes };
}

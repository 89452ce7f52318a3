import type { Status } from '../check.ts';
import type { Finding } from './runner.ts';

/** A finding as it is told: with the moment since when its status has held. */
export interface ConfirmedFinding extends Finding {
  readonly since: string;
}

/** A told status that has changed; `undefined` stands for a finding that was not there, or is no longer. */
export interface Change {
  readonly target: string;
  readonly previous: Status | undefined;
  readonly finding: ConfirmedFinding | undefined;
}

export type Pending = ReadonlyMap<string, number>;

/** When a run was made, and how long a change must last. */
export interface Timing {
  readonly now: Date;
  /** Monotonic milliseconds. */
  readonly nowMs: number;
  /** 0 tells everything as seen. */
  readonly confirmAfterMs: number;
}

// Timers fire a little early.
const earlyMs = 50;

/** What {@link confirm} makes of a run. */
export interface Confirmation {
  readonly told: readonly ConfirmedFinding[];
  /** Targets whose status looks different, with when a look may tell it: monotonic milliseconds. */
  readonly pending: Pending;
  readonly changes: readonly Change[];
}

/**
 * Weighs what was just seen against what was told before. A status that changed (appearing and vanishing included) is
 * told only by a look that still finds it changed `confirmAfterMs` after the first one that did, however many there are
 * in between. Until then the earlier finding stands, with fresh readings.
 */
export function confirm(
  before: { readonly told: readonly ConfirmedFinding[]; readonly pending: Pending },
  seen: readonly Finding[],
  { now, nowMs, confirmAfterMs }: Timing,
): Confirmation {
  const earlier = new Map(before.told.map((finding) => [finding.target, finding]));
  const gone = before.told.filter(({ target }) => !seen.some((finding) => finding.target === target));
  const dueAt = (target: string) => before.pending.get(target) ?? nowMs + confirmAfterMs;
  const settled = (target: string) => dueAt(target) <= nowMs + earlyMs || confirmAfterMs === 0;

  const told: ConfirmedFinding[] = [];
  const pending = new Map<string, number>();
  const changes: Change[] = [];
  for (const finding of seen) {
    const { target, status } = finding;
    const previous = earlier.get(target);
    if (previous?.status === status) {
      told.push({ ...finding, since: previous.since });
    } else if (settled(target)) {
      const news = { ...finding, since: now.toISOString() };
      told.push(news);
      changes.push({ target, previous: previous?.status, finding: news });
    } else {
      pending.set(target, dueAt(target));
      if (previous) told.push({ ...previous, readings: finding.readings ?? [] });
    }
  }
  for (const finding of gone) {
    if (settled(finding.target)) {
      changes.push({ target: finding.target, previous: finding.status, finding: undefined });
    } else {
      pending.set(finding.target, dueAt(finding.target));
      told.push(finding);
    }
  }
  return { told, pending, changes };
}

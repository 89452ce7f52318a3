import type { Status } from './check.ts';
import type { Finding } from './runner.ts';

/** A finding as it is told: with the moment since when its status has held. */
export interface Told extends Finding {
  readonly since: string;
}

/** A told status that has changed; `undefined` stands for a finding that was not there, or is no longer. */
export interface Change {
  readonly target: string;
  readonly previous: Status | undefined;
  readonly finding: Told | undefined;
}

/** What {@link confirm} makes of a run. */
export interface Confirmation {
  readonly told: readonly Told[];
  /** Targets whose status looks different and wants a second look before it is told. */
  readonly pending: ReadonlySet<string>;
  readonly changes: readonly Change[];
}

/**
 * Weighs what was just seen against what was told before. A status that changed (appearing and vanishing
 * included) is told only when its target was already pending, that is: when it was looked at twice. Until then the
 * earlier finding stands, with fresh readings. With `atOnce` everything is told as seen.
 */
export function confirm(
  before: { readonly told: readonly Told[]; readonly pending: ReadonlySet<string> },
  seen: readonly Finding[],
  now: Date,
  atOnce: boolean,
): Confirmation {
  const earlier = new Map(before.told.map((finding) => [finding.target, finding]));
  const gone = before.told.filter(({ target }) => !seen.some((finding) => finding.target === target));
  const settled = (target: string) => atOnce || before.pending.has(target);

  const told: Told[] = [];
  const pending = new Set<string>();
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
      pending.add(target);
      if (previous) told.push({ ...previous, readings: finding.readings ?? [] });
    }
  }
  for (const finding of gone) {
    if (settled(finding.target)) {
      changes.push({ target: finding.target, previous: finding.status, finding: undefined });
    } else {
      pending.add(finding.target);
      told.push(finding);
    }
  }
  return { told, pending, changes };
}

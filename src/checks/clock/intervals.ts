/** A closed range of values, `low` at most `high`. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Where a majority of intervals overlap. */
export interface Agreement<T extends Interval> extends Interval {
  /** Those that reach into the agreed range. */
  readonly members: readonly T[];
  readonly others: readonly T[];
}

/**
 * The smallest range that holds every point shared by as many intervals as share any; nothing when that is not a
 * strict majority of them. It is Marzullo's algorithm as RFC 5905 section 11.2.1 has it: with several such points
 * apart from each other the range spans them all, so it promises less rather than more.
 */
export function agreement<T extends Interval>(intervals: readonly T[]): Agreement<T> | undefined {
  const sharedBy = (point: number) =>
    intervals.filter(({ low, high }) => low <= point && point <= high).length;
  // The overlap can only begin where an interval begins, and end where one ends.
  const most = Math.max(0, ...intervals.map(({ low }) => sharedBy(low)));
  if (most * 2 <= intervals.length) return undefined;

  const low = Math.min(...intervals.map((each) => each.low).filter((point) => sharedBy(point) === most));
  const high = Math.max(...intervals.map((each) => each.high).filter((point) => sharedBy(point) === most));
  const reachesIn = (each: T) => each.low <= high && each.high >= low;
  return {
    low,
    high,
    members: intervals.filter(reachesIn),
    others: intervals.filter((each) => !reachesIn(each)),
  };
}

/** How far an interval stays away from zero; 0 when zero is in it. */
export const distanceFromZero = ({ low, high }: Interval): number => Math.max(low, -high, 0);

/** Keeps a gap between the runs of an item. */
export interface Spacing<Item> {
  /** The items that may run now. The others run by themselves once their gap is over. */
  due(items: readonly Item[]): readonly Item[];
  /** These items run now, whatever their gap. The next gap begins; a run that was waiting for its gap is dropped. */
  began(items: readonly Item[]): void;
  /** Whether a run is waiting for the gap of an item. */
  isWaiting(item: Item): boolean;
  /** Whether an item is within its gap. */
  isResting(item: Item): boolean;
  /** Cancels what waits for its gap. */
  stop(): void;
}

/**
 * @param gapMs how long after a run of an item the next one may begin
 * @param burst runs that may follow one another before the gap counts; each gap that goes by allows one more
 */
export function createSpacing<Item>(
  gapMs: (item: Item) => number,
  run: (item: Item) => void,
  burst = 1,
): Spacing<Item> {
  /** When every gap of the runs so far has gone by: the generic cell rate algorithm. */
  const restedAt = new Map<Item, number>();
  const postponed = new Map<Item, NodeJS.Timeout>();

  function begin(item: Item): void {
    clearTimeout(postponed.get(item));
    postponed.delete(item);
    const now = performance.now();
    const latest = now + (burst - 1) * gapMs(item);
    restedAt.set(item, Math.max(now, Math.min(latest, restedAt.get(item) ?? 0)) + gapMs(item));
  }

  function waitMs(item: Item): number {
    const gap = gapMs(item);
    return gap === 0 ? 0 : (restedAt.get(item) ?? 0) - (burst - 1) * gap - performance.now();
  }

  function postpone(item: Item): void {
    const timer = setTimeout(
      () => {
        begin(item);
        run(item);
      },
      Math.ceil(waitMs(item)),
    );
    postponed.set(item, timer);
  }

  return {
    due(items) {
      const others = items.filter((item) => !postponed.has(item));
      const now = others.filter((item) => waitMs(item) <= 0);
      now.forEach(begin);
      for (const item of others) if (!now.includes(item)) postpone(item);
      return now;
    },
    began: (items) => items.forEach(begin),
    isWaiting: (item) => postponed.has(item),
    isResting: (item) => waitMs(item) > 0,
    stop() {
      for (const timer of postponed.values()) clearTimeout(timer);
      postponed.clear();
    },
  };
}

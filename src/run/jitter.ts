/** Delays runs at random, which spreads those of a fleet. */
export interface Jitter<Item> {
  /** Runs these items together after a delay, except for those that are already waiting. */
  delay(items: readonly Item[]): void;
  /** Sets the longest delay, also for the items that are waiting. */
  setLongest(ms: number): void;
  /** Cancels what is waiting. */
  stop(): void;
}

interface Waiting<Item> {
  readonly items: readonly Item[];
  readonly dueAt: number;
  readonly timer: NodeJS.Timeout;
}

export function createJitter<Item>(
  random: () => number,
  run: (items: readonly Item[]) => void,
): Jitter<Item> {
  let longestMs = 0;
  let waiting: readonly Waiting<Item>[] = [];

  function runAfter(items: readonly Item[], ms: number): void {
    const timer = setTimeout(() => {
      waiting = waiting.filter((each) => each.timer !== timer);
      run(items);
    }, ms);
    waiting = [...waiting, { items, dueAt: performance.now() + ms, timer }];
  }

  function stop(): void {
    for (const { timer } of waiting) clearTimeout(timer);
    waiting = [];
  }

  return {
    delay(items) {
      const others = items.filter((item) => !waiting.some((each) => each.items.includes(item)));
      if (others.length === 0) return;
      const ms = random() * longestMs;
      if (ms === 0) run(others);
      else runAfter(others, ms);
    },
    setLongest(ms) {
      longestMs = ms;
      const before = waiting;
      stop();
      for (const { items, dueAt } of before) {
        runAfter(items, Math.min(ms, Math.max(0, dueAt - performance.now())));
      }
    },
    stop,
  };
}

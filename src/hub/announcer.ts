/** Tells those who watch the connection of its changes. */
export interface Announcer {
  /** Calls `onChange` with each announcement until the signal fires. */
  watch(onChange: (what: string) => void, signal: AbortSignal): void;
  announce(what: string): void;
  /** Announces the current kind of problem, if it is another one, up to 30 s later. */
  announceProblem(): void;
  close(): void;
}

/** The least time from one announcement to that of another kind of problem, because problems may alternate. */
const everyMs = 30_000;

/** @param problemKind the kind of the problem that there is now; undefined for none. */
export function createAnnouncer(problemKind: () => string | undefined): Announcer {
  const watchers = new Set<(what: string) => void>();
  let announced: { readonly kind: string | undefined; readonly at: number } = {
    kind: undefined,
    at: Number.NEGATIVE_INFINITY,
  };
  let waiting: NodeJS.Timeout | undefined;

  function announce(what: string): void {
    clearTimeout(waiting);
    waiting = undefined;
    announced = { kind: problemKind(), at: performance.now() };
    for (const onChange of watchers) onChange(what);
  }

  function announceProblem(): void {
    const kind = problemKind();
    if (kind === announced.kind || waiting) return;
    const waitMs = announced.at + everyMs - performance.now();
    if (waitMs <= 0) {
      announce(
        kind === undefined ? 'The problem with edgeHub is over' : `The problem with edgeHub is now: ${kind}`,
      );
      return;
    }
    waiting = setTimeout(() => {
      waiting = undefined;
      announceProblem();
    }, waitMs).unref();
  }

  return {
    watch(onChange, signal) {
      watchers.add(onChange);
      signal.addEventListener('abort', () => watchers.delete(onChange), { once: true });
    },
    announce,
    announceProblem,
    close: () => clearTimeout(waiting),
  };
}

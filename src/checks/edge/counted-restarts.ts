import type { Restart, WatchedModule, WatchedModules } from './watched-module.ts';

// A renewal of the Edge CA, and a restart of the runtime, stop and start every module.
const togetherSeconds = 60;
// Some modules that restart together more often than this within the window are no renewal: they crash together.
const mostRenewals = 2;

/**
 * The restarts of each module within the window. When at least half of the modules, and at least two, restart within 60 s, that
 * is one event and counts for none of them. The third such event within the window counts,
 * unless nearly all modules restarted.
 */
export function countedRestarts(
  { uptime, modules }: WatchedModules,
  windowSeconds: number,
): ReadonlyMap<string, readonly Restart[]> {
  const { byHalf, byMost } = restartsTogether(modules);
  const counted = [...modules].map(([name, { restarts }]): [string, readonly Restart[]] => {
    const recent = restarts.filter(
      (restart) => uptime - restart.seenAt <= windowSeconds && !byMost.has(restart),
    );
    const alone = recent.filter((restart) => !byHalf.has(restart));
    return [name, recent.length - alone.length <= mostRenewals ? alone : recent];
  });
  return new Map(counted);
}

/** Those that are part of a renewal, and those of one that took in nearly every module. */
function restartsTogether(modules: ReadonlyMap<string, WatchedModule>) {
  const listed = [...modules.values()].filter(({ misses }) => misses < 2).length;
  const half = Math.max(2, Math.ceil(listed / 2));
  // One that was just updated does not restart with the others.
  const most = Math.max(2, Math.ceil(listed * 0.8));
  const starts = [...modules]
    .flatMap(([name, { restarts }]) => restarts.map((restart) => ({ name, restart })))
    .toSorted((a, b) => a.restart.startedAt - b.restart.startedAt);
  const restarts = starts.map(({ restart }) => restart);
  const [byHalf, byMost] = [createMarks(restarts), createMarks(restarts)];
  const counts = new Map<string, number>();
  let first = 0;
  for (const [last, { name, restart }] of starts.entries()) {
    counts.set(name, (counts.get(name) ?? 0) + 1);
    for (let start = starts[first]; start && isBefore(start.restart, restart); start = starts[first]) {
      const left = (counts.get(start.name) ?? 0) - 1;
      if (left > 0) counts.set(start.name, left);
      else counts.delete(start.name);
      first += 1;
    }
    if (counts.size >= half) byHalf.mark(first, last);
    if (counts.size >= most) byMost.mark(first, last);
  }
  return { byHalf: byHalf.marked, byMost: byMost.marked };
}

/** Marks ranges of a list whose ends only grow, each element once. */
function createMarks<T>(list: readonly T[]) {
  const marked = new Set<T>();
  let next = 0;
  return {
    marked,
    mark(first: number, last: number) {
      for (next = Math.max(next, first); next <= last; next += 1) marked.add(list[next] as T);
    },
  };
}

const isBefore = (start: Restart, end: Restart): boolean => end.startedAt - start.startedAt > togetherSeconds;

import type { Restart, WatchedModule, WatchedModules } from './watched-module.ts';

// A renewal of the Edge CA, and a restart of the runtime, stop and start every module.
const togetherSeconds = 60;
// Modules that restart together more often than this within the window are no renewal: they crash together.
const mostRenewals = 2;

/**
 * The restarts of each module within the window. When at least half of the modules, and at least two, restart within 60 s, that
 * is one event and counts for none of them, but for a third one within the window.
 */
export function countedRestarts(
  { uptime, modules }: WatchedModules,
  windowSeconds: number,
): ReadonlyMap<string, readonly Restart[]> {
  const together = restartsTogether(modules);
  const counted = [...modules].map(([name, { restarts }]): [string, readonly Restart[]] => {
    const recent = restarts.filter(({ seenAt }) => uptime - seenAt <= windowSeconds);
    const renewals = recent.filter((restart) => together.has(restart));
    const isRenewed = renewals.length <= mostRenewals;
    return [name, isRenewed ? recent.filter((restart) => !together.has(restart)) : recent];
  });
  return new Map(counted);
}

function restartsTogether(modules: ReadonlyMap<string, WatchedModule>): ReadonlySet<Restart> {
  const listed = [...modules.values()].filter(({ misses }) => misses < 2).length;
  const enough = Math.max(2, Math.ceil(listed / 2));
  const starts = [...modules]
    .flatMap(([name, { restarts }]) => restarts.map((restart) => ({ name, restart })))
    .toSorted((a, b) => a.restart.startedAt - b.restart.startedAt);
  const together = new Set<Restart>();
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
    if (counts.size >= enough) for (const each of starts.slice(first, last + 1)) together.add(each.restart);
  }
  return together;
}

const isBefore = (start: Restart, end: Restart): boolean => end.startedAt - start.startedAt > togetherSeconds;

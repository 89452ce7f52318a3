const firstSeconds = 1;
// edgeHub is on this very device, so what a fleet would do to one hub is no reason to wait for longer; and Microsoft's
// own client waits for 10 s at most.
const longestSeconds = 30;

/**
 * Seconds to wait before trying again: any time up to a limit that doubles from 1 s to 30 s. Spread over the whole
 * of it, modules which lost edgeHub together do not come back together.
 */
export function backoffSeconds(failures: number, random: () => number): number {
  const ceiling = Math.min(longestSeconds, firstSeconds * 2 ** Math.min(failures, 16));
  return ceiling * random();
}

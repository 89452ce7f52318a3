const firstSeconds = 1;
const longestSeconds = 300;

/**
 * Seconds to wait before trying again: any time up to a limit that doubles from 1 s to 5 min. Spread over the whole
 * of it, a fleet which lost its hub together does not come back together.
 */
export function backoffSeconds(failures: number, random: () => number): number {
  const ceiling = Math.min(longestSeconds, firstSeconds * 2 ** Math.min(failures, 16));
  return ceiling * random();
}

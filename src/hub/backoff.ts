const firstSeconds = 1;
const longestSeconds = 60;

/**
 * Seconds to wait before trying again: doubling from 1 s to 60 s, then spread from half of that to all of it, so
 * that a fleet which lost its hub together does not come back together.
 */
export function backoffSeconds(failures: number, random: () => number): number {
  const ceiling = Math.min(longestSeconds, firstSeconds * 2 ** Math.min(failures, 16));
  return ceiling * (0.5 + random() / 2);
}

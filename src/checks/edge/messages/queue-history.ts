import * as z from 'zod';

/** Earlier lengths of queues, oldest first: seconds since 1970 and the length. */
export const queueHistorySchema = z.array(
  z.object({ name: z.string(), lengths: z.array(z.tuple([z.number(), z.number()])) }),
);
/** See {@link queueHistorySchema}. */
export type QueueHistory = z.output<typeof queueHistorySchema>;

// With names of 128 characters, these have less than the 32 KiB that are kept at most.
const maxQueues = 24;
const maxLength = 1e12;
const slotsInWindow = 12;
/** A queue that fills and drains is known by what it did before the window. */
const windowsKept = 2;

/** Fewer messages than this can be any burst. */
const minRise = 100;

/**
 * The history with the current lengths: one for each twelfth of the window, for two windows. A queue that is absent has no
 * length, which after a restart of edgeHub is not yet 0.
 */
export function recordQueues(
  before: QueueHistory,
  queues: ReadonlyMap<string, number>,
  at: number,
  windowSeconds: number,
): QueueHistory {
  const slot = (moment: number) => Math.floor(moment / (windowSeconds / slotsInWindow));
  const known = new Map(before.map(({ name, lengths }) => [name, lengths]));
  const all = [...new Set([...known.keys(), ...queues.keys()])].flatMap((name) => {
    const length = queues.get(name);
    const earlier = (known.get(name) ?? []).filter(
      ([moment]) => moment < at && moment > at - windowsKept * windowSeconds,
    );
    const lengths =
      length === undefined
        ? earlier
        : [
            ...earlier.filter(([moment]) => slot(moment) !== slot(at)),
            [at, Math.min(Math.round(length), maxLength)] satisfies Lengths[number],
          ];
    return lengths.length > 0 ? [{ name, lengths: lengths.slice(-windowsKept * slotsInWindow - 1) }] : [];
  });
  return all.slice(0, maxQueues);
}

type Lengths = QueueHistory[number]['lengths'];

/** How a queue has grown within the window. */
export interface Growth {
  readonly from: number;
  readonly to: number;
  readonly seconds: number;
}

/**
 * Whether a queue grows: it has at least a hundred messages, and half as many again, more than at its lowest within the window;
 * it has held most of that; and it has not gone back to where it was from such a length before, as a queue does that fills and
 * drains. Undefined otherwise, and before half of the window has been seen.
 */
export function growthOf(history: Lengths, at: number, windowSeconds: number): Growth | undefined {
  const inWindow = history.filter(([moment]) => moment > at - windowSeconds);
  const [first] = inWindow;
  const last = inWindow.at(-1);
  if (!first || !last || inWindow.length < 3 || last[0] - first[0] < windowSeconds / 2) return undefined;
  const lowest = inWindow.reduce((low, each) => (each[1] <= low[1] ? each : low));
  const [lowestAt, from] = lowest;
  const to = last[1];
  const rise = to - from;
  if (rise < Math.max(minRise, from / 2)) return undefined;
  const half = from + rise / 2;
  const recent = inWindow.slice(-Math.max(1, Math.floor(inWindow.length / 4)));
  if (recent.some(([, length]) => length < half)) return undefined;
  // A peak, then a valley as deep as the base.
  const peak = history.findIndex(([, length]) => length >= half);
  const hasDrained = history.slice(peak).some(([, length]) => length <= from + rise / 4);
  return hasDrained ? undefined : { from, to, seconds: last[0] - lowestAt };
}

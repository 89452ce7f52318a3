import * as z from 'zod';

/**
 * What was added to some counters of edgeHub within a window of time. For each counter that was above 0: its last value, and how
 * much was added when, in seconds since 1970.
 */
export const countersSchema = z.object({
  followed: z.array(
    z.object({
      name: z.string(),
      last: z.number(),
      added: z.array(z.tuple([z.number(), z.number()])),
    }),
  ),
  /** There are more counters than are followed; so a new one may be old. */
  isPartial: z.boolean(),
});
/** See {@link countersSchema}. */
export type Counters = z.output<typeof countersSchema>;

/** One look at the counters. */
export interface Look {
  /** Seconds since 1970. */
  readonly at: number;
  /** Whether edgeHub has started again since the look before. */
  readonly restarted: boolean;
  readonly windowSeconds: number;
}

// With names of 128 characters, 40 counters that change all the time have less than the 32 KiB that are kept at most.
const maxFollowed = 40;
const slots = 12;

/**
 * The counters after one more look, which also counts what came while the agent was away. Without earlier ones, the values are
 * where counting begins. After a restart of edgeHub, and where a counter was set back without one, the whole value is new. A
 * counter that is absent has not changed.
 */
export function count(
  before: Counters | undefined,
  values: ReadonlyMap<string, number>,
  { at, restarted, windowSeconds }: Look,
): Counters {
  const isPartial = before?.isPartial === true && !restarted;
  const known = new Map((before?.followed ?? []).map((each) => [each.name, each]));
  const followed = [...new Set([...known.keys(), ...values.keys()])].flatMap((name) => {
    const earlier = known.get(name);
    const value = values.get(name);
    const isOld = before === undefined || (isPartial && earlier === undefined);
    const start = isOld ? (value ?? 0) : restarted ? 0 : (earlier?.last ?? 0);
    const last = value ?? start;
    const more = last >= start ? last - start : last;
    const added = withMore(earlier?.added ?? [], more, at, windowSeconds);
    return last > 0 || added.length > 0 ? [{ name, last, added }] : [];
  });
  return {
    followed: followed.slice(0, maxFollowed),
    isPartial: isPartial || followed.length > maxFollowed,
  };
}

/** How much was added to each counter that is followed within the window. */
export const addedTo = ({ followed }: Counters): ReadonlyMap<string, number> =>
  new Map(followed.map(({ name, added }) => [name, added.reduce((sum, [, more]) => sum + more, 0)]));

type Added = Counters['followed'][number]['added'];

/** One entry for each twelfth of the window, with the time of the last addition. */
function withMore(added: Added, more: number, at: number, windowSeconds: number): Added {
  const slot = (moment: number) => Math.floor(moment / (windowSeconds / slots));
  // A clock that was set back must not keep an entry for longer.
  const recent = added
    .map(([moment, each]): Added[number] => [Math.min(moment, at), each])
    .filter(([moment]) => moment > at - windowSeconds);
  if (more <= 0) return recent;
  const inSlot = recent
    .filter(([moment]) => slot(moment) === slot(at))
    .reduce((sum, [, each]) => sum + each, 0);
  const before = recent.filter(([moment]) => slot(moment) !== slot(at));
  return [...before, [at, inSlot + more] satisfies Added[number]].slice(-slots - 1);
}

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addedTo, type Counters, count } from '../../../../src/checks/edge/messages/counters.ts';
import { checkProperty } from '../../../support/properties.ts';

const windowSeconds = 3600;

interface Look {
  readonly value?: number;
  readonly restarted?: boolean;
  readonly minute?: number;
}

/** The counters after some looks at one counter, a minute apart unless they say when. */
function after(...looks: readonly Look[]): Counters {
  let counters: Counters | undefined;
  for (const [i, { value, restarted = false, minute = i }] of looks.entries()) {
    const values = new Map(value === undefined ? [] : [['x', value]]);
    counters = count(counters, values, { at: 1e9 + minute * 60, restarted, windowSeconds });
  }
  return counters ?? { followed: [], isPartial: false };
}
const added = (...looks: readonly Look[]) => addedTo(after(...looks)).get('x') ?? 0;

test.each<[string, number, readonly Look[]]>([
  ['the first look is where counting begins', 0, [{ value: 500 }]],
  ['a counter rises', 3, [{ value: 500 }, { value: 503 }]],
  ['a counter stands still', 0, [{ value: 500 }, { value: 500 }]],
  ['a counter appears after the first look', 2, [{}, { value: 2 }]],
  [
    'what came while the agent was away counts at the next look',
    7,
    [{ value: 1 }, { value: 8, minute: 5000 }],
  ],
  ['after a restart of edgeHub the whole value is new', 5, [{ value: 500 }, { value: 5, restarted: true }]],
  ['also where it is higher than before', 600, [{ value: 500 }, { value: 600, restarted: true }]],
  [
    'a counter that is absent after a restart begins at 0',
    4,
    [{ value: 500 }, { restarted: true }, { value: 4 }],
  ],
  ['a page that lacks the series for once changes nothing', 1, [{ value: 500 }, {}, { value: 501 }]],
  ['a counter that was set back without a restart is new', 4, [{ value: 500 }, { value: 4 }]],
  ['what is older than the window is forgotten', 1, [{ value: 0 }, { value: 5 }, { value: 6, minute: 62 }]],
  ['at the end of the window it still counts', 6, [{ value: 0 }, { value: 5 }, { value: 6, minute: 60 }]],
  ['a restart forgets nothing', 7, [{ value: 0 }, { value: 5 }, { value: 2, restarted: true }]],
])('%s', (_, expected, looks) => {
  expect(added(...looks)).toBe(expected);
});

test('a clock that is set back keeps nothing for longer than the window', () => {
  const ahead = after({ value: 0, minute: 1000 }, { value: 5, minute: 1001 });
  const look = (minute: number, before: Counters) =>
    count(before, new Map([['x', 5]]), { at: 1e9 + minute * 60, restarted: false, windowSeconds });
  const back = look(0, ahead);
  expect(addedTo(back).get('x')).toBe(5);
  expect(addedTo(look(61, back)).get('x')).toBe(0);
});

/** Any life of edgeHub and of the agent: at each look, some minutes later, more was counted, and edgeHub may have restarted. */
const life = fc.array(
  fc.record({
    minutes: fc.integer({ min: 1, max: 40 }),
    more: fc.oneof(fc.constant(0), fc.nat(1000)),
    restarted: fc.oneof(
      { weight: 4, arbitrary: fc.constant(false) },
      { weight: 1, arbitrary: fc.constant(true) },
    ),
    lacking: fc.oneof(
      { weight: 4, arbitrary: fc.constant(false) },
      { weight: 1, arbitrary: fc.constant(true) },
    ),
    // The agent goes on from what it saved.
    agentRestarts: fc.boolean(),
  }),
  { maxLength: 60 },
);

test('the window has exactly what was added in it, to the twelfth of it, whoever restarts', () => {
  checkProperty(
    fc.property(fc.nat(1000), life, (start, events) => {
      let at = 1e9;
      let value = start;
      let counters = count(undefined, new Map([['x', value]]), { at, restarted: false, windowSeconds });
      const seen: { at: number; more: number }[] = [];
      let unseen = 0;
      for (const { minutes, more, restarted, lacking, agentRestarts } of events) {
        at += minutes * 60;
        // What was counted since the last look that showed it is lost with edgeHub, and nobody can know.
        if (restarted) [value, unseen] = [0, 0];
        value += more;
        unseen += more;
        const values = new Map(lacking || value === 0 ? [] : [['x', value]]);
        counters = count(counters, values, { at, restarted, windowSeconds });
        if (!lacking && value > 0) {
          seen.push({ at, more: unseen });
          unseen = 0;
        }
        if (agentRestarts) counters = JSON.parse(JSON.stringify(counters));
        const within = (seconds: number) =>
          seen.filter((each) => each.at > at - seconds).reduce((sum, each) => sum + each.more, 0);
        const total = addedTo(counters).get('x') ?? 0;
        expect(total).toBeGreaterThanOrEqual(within(windowSeconds));
        expect(total).toBeLessThanOrEqual(within(windowSeconds + windowSeconds / 12));
      }
    }),
    500,
  );
});

test('more counters than are followed cause neither a false count nor more than 32 KiB, until edgeHub restarts', () => {
  const longName = (i: number) => `${i} ${'"'.repeat(120)}`;
  const all = (value: number, from = 0) =>
    new Map(Array.from({ length: 100 }, (_, i) => [longName(from + i), value]));
  const look = (minute: number, restarted = false) => ({ at: 1e9 + minute * 60, restarted, windowSeconds });
  let counters = count(undefined, all(1e15), look(0));
  for (let minute = 1; minute < 200; minute += 1)
    counters = count(counters, all(1e15 + minute), look(minute));
  expect(JSON.stringify(counters).length).toBeLessThan(32 * 1024);
  expect(counters.followed).toHaveLength(40);

  // Others that have counted for long take the places of those that have gone.
  const others = count({ ...counters, followed: [] }, all(1e15, 50), look(200));
  expect([...addedTo(others).values()].every((more) => more === 0)).toBe(true);
  expect([...addedTo(count(others, all(3), look(201, true))).values()]).toContain(3);
});

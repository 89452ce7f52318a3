import { describe, expect, test } from 'vitest';
import type { Sample } from '../../src/host.ts';
import { createCheckMemory } from '../../src/state/check-memory.ts';

const hour = 3600;
const day = 24 * hour;
const start = Date.parse('2026-10-01T00:00:00Z') / 1000;

/** A history with clocks that go as the test says. `feed` gives a sample each `step` seconds, its value the time. */
function setUp(saved?: unknown) {
  let wall = start;
  let monotonic = 0;
  const history = createCheckMemory({
    now: () => new Date(wall * 1000),
    saved,
    monotonic: () => monotonic * 1000,
  });
  const pass = (seconds: number) => {
    wall += seconds;
    monotonic += seconds;
  };
  return {
    history,
    pass,
    /** Sets the wall clock, and that alone. */
    step: (seconds: number) => {
      wall += seconds;
    },
    now: () => wall,
    feed(seconds: number, step: number): readonly Sample[] {
      let seen: readonly Sample[] = [];
      for (let gone = 0; gone < seconds; gone += step) {
        pass(step);
        seen = history.record('a', monotonic);
      }
      return seen;
    },
  };
}

const gaps = (samples: readonly Sample[]) =>
  samples.slice(1).map(({ at }, i) => at - (samples[i]?.at ?? Number.NaN));

test.each([10, 60, 300])(
  'fed each %d s, it has a sample for each five minutes of the last six hours',
  (step) => {
    const { feed, now } = setUp();
    const seen = feed(8 * hour, step);
    const dense = seen.filter(({ at }) => at > now() - 6 * hour);
    expect(Math.max(...gaps(dense))).toBeLessThanOrEqual(600);
    expect(dense.length).toBeGreaterThanOrEqual(72);
    expect(dense.length).toBeLessThanOrEqual(74);
    expect(seen.at(-1)).toEqual({ at: now(), value: 8 * hour });
  },
);

test('fed for two months, it has a sample for each hour of 45 days', () => {
  const { feed, now } = setUp();
  const seen = feed(60 * day, 1200);
  expect(Math.max(...gaps(seen))).toBeLessThanOrEqual(hour);
  expect(seen.length).toBeLessThanOrEqual(45 * 24 + 74);
  expect(now() - (seen[0]?.at ?? 0)).toBeGreaterThan(44.9 * day);
});

test('series know nothing of each other', () => {
  const { history, pass } = setUp();
  history.record('a', 1);
  pass(hour);
  expect(history.record('b', 2)).toEqual([{ at: start + hour, value: 2 }]);
});

test('of more than forty series those go that have waited longest', () => {
  const { history } = setUp();
  for (let n = 0; n < 50; n += 1) history.record(`${n}`, n);
  expect(Object.keys(history.snapshot().series)).toEqual(Array.from({ length: 40 }, (_, n) => `${n + 10}`));
});

describe('a restart', () => {
  test('loses nothing, and what is saved of a full history is small', () => {
    const { feed, history } = setUp();
    const seen = feed(60 * day, 1200);
    const text = JSON.stringify(history.snapshot());
    expect(text.length).toBeLessThan(20_000);
    const later = setUp(JSON.parse(text));
    later.step(60 * day);
    later.pass(300);
    const again = later.history.record('a', 1);
    // The last one of a slot takes the place of the others in it.
    expect(seen.slice(-100, -2)).toEqual(
      again.slice(-101, -3).filter(({ at }) => at > (seen.at(-100)?.at ?? 0) - 1),
    );
    expect(again.at(-1)).toEqual({ at: later.now(), value: 1 });
  });

  test.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'series'],
    ['another version', { version: 2, series: { a: [start - hour, 1] } }],
    ['no series', { version: 1 }],
    ['a series of texts', { version: 1, series: { a: ['1', '2'] } }],
    ['time that goes back', { version: 1, series: { a: [start - hour, 1, -5, 2] } }],
    ['time that stands', { version: 1, series: { a: [start - hour, 1, 0, 2] } }],
    ['NaN', { version: 1, series: { a: [Number.NaN, 1] } }],
    ['far too much', { version: 1, series: { a: new Array(100_000).fill(1) } }],
  ])('with %s saved starts afresh', (_, saved) => {
    expect(setUp(saved).history.record('a', 5)).toEqual([{ at: start, value: 5 }]);
  });

  test('with one series of several spoilt keeps the others', () => {
    const saved = {
      version: 1,
      series: { spoilt: [1, 'x'], a: [start - hour, 4], odd: [start - hour, 4, 7] },
    };
    const { history } = setUp(saved);
    expect(history.record('a', 5)).toEqual([
      { at: start - hour, value: 4 },
      { at: start, value: 5 },
    ]);
    expect(history.record('spoilt', 5)).toHaveLength(1);
  });
});

describe('a clock that jumps', () => {
  test('back to 1970 until it is set: what was seen is there again, and nothing of 1970', () => {
    const { feed, step, pass, history } = setUp();
    const before = feed(2 * day, 300);
    step(-start);
    for (let n = 0; n < 5; n += 1) {
      pass(60);
      expect(history.record('a', 7)).toHaveLength(1);
    }
    step(start);
    const after = feed(300, 300);
    expect(after.length).toBeGreaterThanOrEqual(before.length - 1);
    expect(Math.min(...after.map(({ at }) => at))).toBeGreaterThan(start);
  });

  test('back permanently: samples from the future are dropped after an hour', () => {
    const { feed, step, now } = setUp();
    feed(2 * day, 300);
    step(30 * day);
    feed(2 * hour, 300);
    step(-30 * day);
    expect(feed(hour - 600, 300)).toHaveLength(1);
    const after = feed(hour, 300);
    expect(Math.max(...after.map(({ at }) => at))).toBe(now());
    expect(after.length).toBeGreaterThan(40);
  });

  test('ahead by years, and back: what was seen before is still there', () => {
    const { feed, step } = setUp();
    const before = feed(2 * day, 300);
    step(12 * 365 * day);
    expect(feed(300, 300)).toHaveLength(1);
    step(-12 * 365 * day);
    const after = feed(2 * hour, 300);
    expect(after.length).toBeGreaterThan(before.length / 2);
    expect(after[0]?.at).toBe(before[0]?.at);
  });

  test.each([-2 * day, -2 * hour, -600, -10, 10, 600, 2 * hour, 2 * day])(
    'by %d s makes no slope that was not there',
    (seconds) => {
      const { feed, step } = setUp();
      feed(2 * day, 300);
      step(seconds);
      const seen = feed(6 * hour, 300);
      // The value is the time: one a second. A step ahead makes it less, and one back leaves a rise in no time.
      for (let i = 20; i < seen.length; i += 1) {
        const [a, b] = [seen[i - 20], seen[i]];
        if (!a || !b) continue;
        const slope = (b.value - a.value) / (b.at - a.at);
        expect(slope).toBeGreaterThan(0);
        expect(b.value - a.value).toBeLessThanOrEqual(b.at - a.at + Math.max(0, -seconds) + 300);
      }
    },
  );
});

describe('values', () => {
  const open = (saved?: unknown) => createCheckMemory({ now: () => new Date(), saved });
  /** As the state file has it. */
  const restarted = (memory: ReturnType<typeof open>) => open(JSON.parse(JSON.stringify(memory.snapshot())));

  test('are there again after a restart, and gone once undefined is kept', () => {
    const memory = open();
    memory.keep('moduleHealth', { edgeHub: { restarts: 3 } });
    expect(restarted(memory).recall('moduleHealth')).toEqual({ edgeHub: { restarts: 3 } });
    memory.keep('moduleHealth', undefined);
    expect(memory.recall('moduleHealth')).toBeUndefined();
    expect(restarted(memory).recall('moduleHealth')).toBeUndefined();
  });

  test('are copies: what the caller does to them afterwards changes nothing', () => {
    const memory = open();
    const value = { count: 1 };
    memory.keep('a', value);
    value.count = 2;
    const recalled = memory.recall('a') as { count: number };
    expect(recalled).toEqual({ count: 1 });
    recalled.count = 3;
    expect(memory.recall('a')).toEqual({ count: 1 });
  });

  test('of more than 32 KiB are refused, and the earlier one stays', () => {
    const memory = open();
    memory.keep('a', 'small');
    memory.keep('b', 'x'.repeat(32 * 1024 - 2));
    expect(() => memory.keep('a', 'x'.repeat(32 * 1024 - 1))).toThrow(RangeError);
    expect(memory.recall('a')).toBe('small');
  });

  test('beyond 256 KiB drop what was kept longest ago, over a restart too', () => {
    const memory = open();
    const large = 'x'.repeat(30 * 1024);
    for (let i = 0; i < 12; i += 1) memory.keep(`value ${i}`, large);
    memory.keep('value 5', large);
    memory.keep('value 12', large);
    const left = (from: typeof memory) =>
      Array.from({ length: 13 }, (_, i) => i).filter((i) => from.recall(`value ${i}`) !== undefined);
    expect(left(memory)).toEqual([5, 6, 7, 8, 9, 10, 11, 12]);
    expect(left(restarted(memory))).toEqual([5, 6, 7, 8, 9, 10, 11, 12]);
  });

  test('a snapshot of an earlier version has none', () => {
    expect(open({ version: 1, series: {} }).recall('a')).toBeUndefined();
  });
});

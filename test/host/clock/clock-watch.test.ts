import { expect, onTestFinished, test } from 'vitest';
import { createClockWatch } from '../../../src/host/clock/clock-watch.ts';
import type { ClockEvent } from '../../../src/host/clock/types.ts';

/** Three clocks that the test moves. */
function machine({ bootTime = true } = {}) {
  const at = { wall: 1_800_000_000, monotonic: 500, boot: 900, heldUp: 0 };
  const events: ClockEvent[] = [];
  const watch = createClockWatch({
    wall: () => at.wall,
    monotonic: () => at.monotonic,
    sinceBoot: () => {
      at.monotonic += at.heldUp;
      return bootTime ? at.boot : undefined;
    },
  });
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  watch.watchClock((event) => events.push(event), stop.signal);
  /** Seconds of ordinary life, of sleep, and by which somebody sets the clock. */
  const pass = ({ awake = 5, asleep = 0, step = 0 }) => {
    at.monotonic += awake;
    at.boot += awake + asleep;
    at.wall += awake + asleep + step;
  };
  return { at, events, watch, pass };
}

type Seen = [ClockEvent['kind'], number];

test.each<[string, object, Seen[]]>([
  ['nothing but time passes', {}, []],
  ['a reading comes late', { awake: 600 }, []],
  ['the clock is set ahead', { step: 3600 }, [['stepped', 3600]]],
  ['the clock is set back', { step: -90 }, [['stepped', -90]]],
  ['a leap second is stepped over', { step: -1 }, [['stepped', -1]]],
  ['the clock is nudged', { step: 0.1 }, []],
  ['/proc/uptime is rounded', { asleep: 0.01 }, []],
  ['the machine sleeps', { asleep: 28_800 }, [['suspended', 28_800]]],
  [
    'the machine sleeps and its clock is corrected',
    { asleep: 600, step: -2 },
    [
      ['suspended', 600],
      ['stepped', -2],
    ],
  ],
])('%s', (_what, passed, seen) => {
  const { events, watch, pass } = machine();
  watch.poll();
  pass(passed);
  watch.poll();
  pass({});
  watch.poll();
  expect(events.map(({ kind, seconds }) => [kind, Math.round(seconds * 10) / 10])).toEqual(seen);
  expect(watch.clockEvents().map(({ kind, secondsAgo }) => [kind, Math.round(secondsAgo)])).toEqual(
    seen.map(([kind]) => [kind, 5]),
  );
});

test('without a clock that advances in sleep, sleep cannot be distinguished from a step', () => {
  const { events, watch, pass } = machine({ bootTime: false });
  watch.poll();
  pass({ asleep: 600 });
  watch.poll();
  expect(events).toMatchObject([{ kind: 'stepped', seconds: 600 }]);
});

test('a reading delayed between two clocks is discarded, and the next one misses nothing', () => {
  const { at, events, watch, pass } = machine();
  watch.poll();
  pass({ step: 60 });
  at.heldUp = 7;
  watch.poll();
  expect(events).toEqual([]);
  at.heldUp = 0;
  at.wall += 7;
  at.boot += 7;
  watch.poll();
  expect(events).toMatchObject([{ kind: 'stepped', seconds: 60 }]);
});

test('the age of an event is not changed by a later step', () => {
  const { watch, pass } = machine();
  watch.poll();
  pass({ asleep: 600 });
  watch.poll();
  pass({ awake: 60, step: -86_400 });
  watch.poll();
  expect(watch.clockEvents()).toMatchObject([
    { kind: 'suspended', secondsAgo: 60 },
    { kind: 'stepped', seconds: -86_400, secondsAgo: 0 },
  ]);
});

test('events are kept for an hour, a hundred at most, and counted permanently', () => {
  const { watch, pass } = machine();
  watch.poll();
  for (let i = 0; i < 150; i += 1) {
    pass({ awake: 1, asleep: 1, step: i % 2 ? 10 : 0 });
    watch.poll();
  }
  expect(watch.clockEvents()).toHaveLength(100);
  pass({ awake: 3600 });
  watch.poll();
  expect(watch.clockEvents()).toEqual([]);
  expect(watch.clockTotals()).toEqual({ steps: 75, suspendedSeconds: 150 });
});

test('on an undisturbed machine there are no events', () => {
  const events: ClockEvent[] = [];
  const stop = new AbortController();
  const watch = createClockWatch();
  watch.watchClock((event) => events.push(event), stop.signal);
  for (let i = 0; i < 20; i += 1) watch.poll();
  stop.abort();
  expect(events).toEqual([]);
});

test('nothing is reported once its signal has fired', () => {
  const clock = { wall: 1_800_000_000 };
  const events: ClockEvent[] = [];
  const watch = createClockWatch({ wall: () => clock.wall, monotonic: () => 1, sinceBoot: () => 1 });
  const stop = new AbortController();
  watch.watchClock((event) => events.push(event), stop.signal);
  stop.abort();
  clock.wall += 60;
  watch.poll();
  expect(events).toEqual([]);
  expect(watch.clockTotals().steps).toBe(1);
});

import { describe, expect, test } from 'vitest';
import { forecastFull } from '../../../src/checks/disk/forecast.ts';
import type { Sample } from '../../../src/host.ts';
import { createCheckMemory } from '../../../src/state/check-memory.ts';

const hour = 3600;
const day = 24 * hour;

/** Use in percent at a moment. */
type Use = (at: number) => number;

/** Numbers between 0 and 1 that are the same for the same seed (the generator of Park and Miller, 1988). */
function seeded(seed: number): () => number {
  let state = seed * 7919 + 1;
  const next = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  for (let i = 0; i < 10; i += 1) next();
  return next;
}

interface Saw {
  readonly base: number;
  /** How far each tooth rises before cleaning takes it back. */
  readonly height: number;
  readonly period: number;
  /** The part of a period by which teeth differ in length. */
  readonly uneven?: number;
  readonly leakPerDay?: number;
  readonly noise?: number;
}

/** A sawtooth with noise, and with a leak under it. */
function saw(seed: number, { base, height, period, uneven = 0, leakPerDay = 0, noise = 0.3 }: Saw): Use {
  const random = seeded(seed);
  const starts = [-random() * period];
  while ((starts.at(-1) ?? 0) < 250 * day) {
    starts.push((starts.at(-1) ?? 0) + period * (1 + uneven * (random() - 0.5)));
  }
  const jitter = Array.from({ length: 5000 }, () => (random() + random() + random() - 1.5) * 2 * noise);
  return (at) => {
    const next = starts.findIndex((start) => start > at);
    const [from = 0, to = 0] = [starts[next - 1], starts[next]];
    const tooth = (height * (at - from)) / (to - from);
    return base + (leakPerDay * at) / day + tooth + (jitter[Math.floor(at / 300) % 5000] ?? 0);
  };
}

/** What the host remembers at a moment: dense for six hours, hourly for 45 days before, since the moment 0. */
function remembered(use: Use, now: number): Sample[] {
  const samples: Sample[] = [];
  const dense = now - 6 * hour;
  for (let at = Math.max(hour, Math.ceil((now - 45 * day) / hour) * hour); at < dense; at += hour) {
    samples.push({ at, value: use(at) });
  }
  for (let at = Math.max(300, dense); at <= now; at += 300) samples.push({ at, value: use(at) });
  return samples;
}

const forecastAt = (use: Use, now: number) => forecastFull(remembered(use, now), 100, now);

describe('half a year of a sawtooth with a leak under it', () => {
  test.each<[string, Omit<Saw, 'leakPerDay'>]>([
    ['cleaned each day', { base: 40, height: 15, period: day }],
    ['cleaned each week', { base: 40, height: 15, period: 7 * day }],
    ['cleaned each week, a little', { base: 40, height: 8, period: 7 * day }],
    ['cleaned each week, a lot', { base: 30, height: 25, period: 7 * day }],
    ['cleaned some time', { base: 40, height: 15, period: 6 * day, uneven: 0.6 }],
    ['never cleaned', { base: 40, height: 0, period: 7 * day }],
  ])(
    '%s: from a third on, the date is within a fifth of the time left, and mostly within its margin',
    (_, shape) => {
      const leakPerDay = (100 - shape.base - shape.height) / 180;
      let [looks, told, covered] = [0, 0, 0];
      for (const seed of [1, 2, 3]) {
        const use = saw(seed, { ...shape, leakPerDay });
        let full = 100 * day;
        while (use(full) < 100) full += hour;
        for (let now = 60 * day + seed * 7 * hour; now < full - 3 * day; now += 4.3 * day) {
          looks += 1;
          const forecast = forecastAt(use, now);
          if (!forecast) continue;
          told += 1;
          const error = Math.abs(forecast.fullAt - full);
          // It is full at the top of a tooth, and which one is a matter of chance.
          expect(error).toBeLessThanOrEqual(Math.max(0.2 * (full - now), shape.period, 3 * day));
          if (error <= forecast.marginSeconds) covered += 1;
        }
      }
      expect(told / looks).toBeGreaterThan(0.9);
      expect(covered / told).toBeGreaterThan(0.9);
    },
  );
});

describe('a runaway', () => {
  test.each([
    [3, 0],
    [3, 15],
    [8, 0],
    [8, 15],
    [24, 0],
    [24, 15],
    [60, 0],
  ])('that fills the disk in %d h, over teeth of %d points, is told before half of that', (hours, height) => {
    const calm = saw(hours, { base: 35, height, period: day });
    const start = 30 * day + 5 * hour;
    const from = calm(start);
    const use: Use = (at) => (at < start ? calm(at) : from + ((100 - from) * (at - start)) / (hours * hour));
    let now = start;
    while (!forecastAt(use, now)) {
      now += 300;
      expect(now - start).toBeLessThan((hours * hour) / 2);
    }
    const told = forecastAt(use, now);
    expect(Math.abs((told?.fullAt ?? 0) - start - hours * hour)).toBeLessThan(0.1 * hours * hour);
  });

  test('is reported just as early after weeks of a slow leak', () => {
    const leak = saw(1, { base: 40, height: 0, period: day, leakPerDay: 0.4 });
    const start = 50 * day;
    const use: Use = (at) => leak(at) + Math.max(0, (at - start) / hour) * 5;
    const slow = forecastAt(use, start);
    const fast = forecastAt(use, start + 4.5 * hour);
    expect((slow?.fullAt ?? 0) / day).toBeGreaterThan(120);
    expect((fast?.fullAt ?? 0) - start).toBeLessThan(10 * hour);
  });
});

describe('no forecast', () => {
  const flat = (seed: number, noise: number, base = 40) => saw(seed, { base, height: 0, period: day, noise });
  const changed =
    (use: Use, change: (daysSince: number) => number): Use =>
    (at) =>
      use(at) + (at < 30 * day ? 0 : change(at / day - 30));

  test.each<[string, (seed: number) => Use]>([
    ['a saw cleaned each day', (seed) => saw(seed, { base: 70, height: 15, period: day })],
    ['a saw cleaned each week', (seed) => saw(seed, { base: 60, height: 15, period: 7 * day })],
    ['a saw cleaned some time', (seed) => saw(seed, { base: 60, height: 20, period: 4 * day, uneven: 1 })],
    ['a saw that reaches 90', (seed) => saw(seed, { base: 80, height: 10, period: day })],
    ['noise', (seed) => flat(seed, 3)],
    ['noise near the ceiling', (seed) => flat(seed, 1, 95)],
    ['a step', (seed) => changed(flat(seed, 0.3), () => 30)],
    ['a step under a saw', (seed) => changed(saw(seed, { base: 40, height: 10, period: 7 * day }), () => 30)],
    ['two steps', (seed) => changed(flat(seed, 0.3), (days) => (days < 9 ? 15 : 30))],
    [
      'a large image pulled within an hour',
      (seed) => changed(flat(seed, 0.1), (days) => Math.min(25, days * 600)),
    ],
    ['a fall', (seed) => changed(flat(seed, 0.3, 80), () => -40)],
    ['a slow fall', (seed) => changed(flat(seed, 0.3, 80), (days) => -days)],
  ])('from %s', (_, make) => {
    for (const seed of [1, 2]) {
      const use = make(seed);
      for (
        let now = 2 * hour;
        now < 80 * day;
        now += now < 2 * day || Math.abs(now - 30 * day) < day ? hour : 17.3 * hour
      ) {
        expect([now / day, forecastAt(use, now)]).toEqual([now / day, undefined]);
      }
    }
  });

  test.each<[string, Sample[]]>([
    ['nothing', []],
    ['one sample', [{ at: 1, value: 50 }]],
    ['two samples', [1, 2].map((n) => ({ at: n * hour, value: n * 10 }))],
    ['the same moment repeated', Array.from({ length: 50 }, (_, n) => ({ at: hour, value: n }))],
    ['a filesystem that is already full', remembered((at) => at / hour, 120 * hour)],
  ])('from %s', (_, samples) => {
    expect(forecastFull(samples, 100, samples.at(-1)?.at ?? hour)).toBeUndefined();
  });

  test('from samples that end long before now', () => {
    const samples = Array.from({ length: 100 }, (_, n) => ({ at: n * hour, value: 20 + n / 2 }));
    expect(forecastFull(samples, 100, 99 * hour)).toBeDefined();
    expect(forecastFull(samples, 100, 112 * hour)).toBeUndefined();
  });

  test('further ahead than the observed period allows', () => {
    const use: Use = (at) => 10 + (at / day) * 0.3;
    for (let now = day; now < 40 * day; now += day) expect(forecastAt(use, now)).toBeUndefined();
  });

  test.each([-30 * day, -day, -hour, 600, hour, 30 * day])('from a clock that steps by %d s', (step) => {
    let wall = Date.parse('2026-10-01T00:00:00Z') / 1000;
    let monotonic = 0;
    const history = createCheckMemory({
      now: () => new Date(wall * 1000),
      monotonic: () => monotonic * 1000,
    });
    // A leak that needs a thousand days, which nobody has to hear of.
    const look = () => {
      wall += 600;
      monotonic += 600;
      return forecastFull(history.record('a', 40 + (0.06 * monotonic) / day), 100, wall);
    };
    for (let n = 0; n < 500; n += 1) expect(look()).toBeUndefined();
    wall += step;
    for (let n = 0; n < 100; n += 1) expect(look()).toBeUndefined();
  });
});

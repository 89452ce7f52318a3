import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  growthOf,
  type QueueHistory,
  recordQueues,
} from '../../../../src/checks/edge/messages/queue-history.ts';
import { checkProperty } from '../../../support/properties.ts';

const windowSeconds = 3600;

/** The growth that each look finds, of lengths some minutes apart. `undefined`: the queue is absent. */
function growths(lengths: readonly (number | undefined)[], everyMinutes = 5) {
  let history: QueueHistory = [];
  return lengths.map((length, i) => {
    const at = 1e9 + i * everyMinutes * 60;
    const queues = new Map(length === undefined ? [] : [['iothub', length]]);
    history = recordQueues(history, queues, at, windowSeconds);
    return growthOf(history[0]?.lengths ?? [], at, windowSeconds);
  });
}
const isReported = (lengths: readonly (number | undefined)[], everyMinutes?: number) =>
  growths(lengths, everyMinutes).some((growth) => growth !== undefined);

const ramp = (from: number, to: number, looks: number) =>
  Array.from({ length: looks }, (_, i) => from + ((to - from) * i) / (looks - 1));

describe('a queue that grows is reported', () => {
  test('with how much and for how long', () => {
    expect(growths(ramp(100, 4000, 13)).at(-1)).toEqual({ from: 425, to: 4000, seconds: 3300 });
    expect(growths(ramp(100, 4000, 12)).at(-1)).toEqual({ from: 100, to: 4000, seconds: 3300 });
  });

  test.each<[string, (number | undefined)[]]>([
    ['from 100 to 4,000 within the window', ramp(100, 4000, 8)],
    ['by leaps', [100, 100, 1500, 1400, 1300, 3000, 2900, 4000]],
    ['and stays long', [100, 100, 4000, 4000, 4000, 4000, 4000, 4000]],
    ['with a saw on top', [0, 900, 600, 1500, 1200, 2100, 1800, 2700, 2400, 3300]],
    [
      'with a look at an edgeHub that has just restarted',
      [100, 600, 1200, undefined, 1900, 2500, 3100, 3800],
    ],
  ])('%s', (_, lengths) => {
    expect(isReported(lengths)).toBe(true);
  });

  test('also where the check runs every minute or every half hour', () => {
    expect(isReported(ramp(100, 4000, 60), 1)).toBe(true);
    expect(isReported(ramp(100, 4000, 3), 25)).toBe(true);
  });
});

describe('a queue that does not grow is not reported', () => {
  const saw = (period: number, looks: number, top = 4000) =>
    Array.from({ length: looks }, (_, i) => ((i % period) / (period - 1)) * top);
  test.each<[string, (number | undefined)[]]>([
    ['from 0 to 4', ramp(0, 4, 13)],
    ['that is long, but no longer than before', Array.from({ length: 30 }, () => 9000)],
    ['that drains', ramp(4000, 100, 13)],
    ['that is nearly as long as before', ramp(9000, 10_500, 13)],
    ['a saw of two looks', saw(2, 40)],
    ['a saw of ten minutes', saw(3, 60)],
    ['a saw of half an hour', saw(6, 100)],
    ['a burst', [0, 0, 0, 0, 0, 0, 0, 4000, 0, 0, 0, 0, 0]],
    [
      'the first look after edgeHub has restarted',
      [4000, 4000, 4000, 4000, undefined, 4000, 4000, 4000, 4000],
    ],
  ])('%s', (_, lengths) => {
    expect(isReported(lengths)).toBe(false);
  });

  test('a saw with a period of an hour is reported at most while it is new', () => {
    const found = growths(saw(12, 12 * 24 * 7)).map((growth, i) => (growth ? i : -1));
    expect(found.filter((i) => i > 24)).toEqual([]);
  });

  test('before half of the window was seen', () => {
    expect(isReported(ramp(100, 4000, 6))).toBe(false);
  });
});

test('whatever the queues, the history is bounded', () => {
  const lengths = fc.oneof(fc.double({ min: 0, noNaN: true }), fc.nat());
  checkProperty(
    fc.property(fc.array(lengths, { minLength: 1, maxLength: 80 }), fc.nat(3000), (values, step) => {
      let history: QueueHistory = [];
      for (const [i, value] of values.entries()) {
        const queues = new Map(Array.from({ length: 60 }, (_, n) => [`${n} ${'"'.repeat(120)}`, value]));
        const at = 1_796_256_000 + i * step;
        history = recordQueues(history, queues, at, windowSeconds);
        growthOf(history[0]?.lengths ?? [], at, windowSeconds);
      }
      expect(JSON.stringify(history).length).toBeLessThan(32 * 1024);
    }),
    30,
  );
});

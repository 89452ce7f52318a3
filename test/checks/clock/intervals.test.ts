import { expect, test } from 'vitest';
import { agreement, distanceFromZero, type Interval } from '../../../src/checks/clock/intervals.ts';

const each = (...pairs: [number, number][]): Interval[] => pairs.map(([low, high]) => ({ low, high }));

test.each<[string, Interval[], [number, number] | undefined]>([
  ['no intervals have no intersection', [], undefined],
  ['one interval is its own intersection', each([1, 3]), [1, 3]],
  ['two overlapping intervals intersect in the overlap', each([1, 3], [2, 4]), [2, 3]],
  ['two touching intervals intersect in the point', each([1, 2], [2, 4]), [2, 2]],
  ['two disjoint intervals: half is no majority', each([1, 2], [3, 4]), undefined],
  ['a narrow interval inside a wide one is the intersection', each([0, 10], [4, 5]), [4, 5]],
  ['one liar of three is outvoted', each([0, 2], [1, 3], [90, 91]), [1, 2]],
  ['two liars of three that disagree outvote no source', each([0, 1], [50, 51], [90, 91]), undefined],
  ['two pairs of four are no majority', each([0, 1], [0, 1], [5, 6], [5, 6]), undefined],
  ['three of five are a majority', each([0, 3], [1, 4], [2, 5], [50, 51], [-9, -8]), [2, 3]],
  ['all that overlap bind more than a majority of them', each([0, 9], [1, 8], [2, 7]), [2, 7]],
  ['points apart that as many share are spanned', each([0, 10], [0, 2], [8, 10]), [0, 10]],
  ['equal intervals are no problem', each([-1, 1], [-1, 1], [-1, 1]), [-1, 1]],
])('%s', (_what, intervals, range) => {
  const agreed = agreement(intervals);
  expect(agreed && [agreed.low, agreed.high]).toEqual(range);
});

test('sources that agree are separated from those that do not', () => {
  const [right, coarse, wrong] = [
    { low: 0, high: 1, name: 'right' },
    { low: -5, high: 5, name: 'coarse' },
    { low: 7, high: 8, name: 'wrong' },
  ];
  expect(agreement([wrong, right, coarse])).toEqual({
    low: 0,
    high: 1,
    members: [right, coarse],
    others: [wrong],
  });
});

test('a source that only touches the agreed range agrees', () => {
  const [left, right] = [
    { low: -3, high: 1 },
    { low: 1, high: 4 },
  ];
  const middle = { low: 1, high: 2 };
  expect(agreement([left, right, middle])).toMatchObject({ low: 1, high: 1, others: [] });
});

test.each([
  [-1, 1, 0],
  [0, 5, 0],
  [-5, 0, 0],
  [2, 5, 2],
  [-5, -2, 2],
])('from %d to %d is %d away from zero', (low, high, distance) => {
  expect(distanceFromZero({ low, high })).toBe(distance);
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { wrap } from '../../src/sinks/wrap.ts';

test.each<[string, number, number, string[]]>([
  ['', 10, 0, ['']],
  ['one two three', 80, 0, ['one two three']],
  ['one two three', 7, 0, ['one two', 'three']],
  ['one two three', 9, 4, ['one', 'two three']],
  ['averylongword b', 5, 0, ['averylongword', 'b']],
  ['run `sudo df -h /var/lib`, then go', 12, 0, ['run', '`sudo df -h /var/lib`,', 'then go']],
  ['a lone ` stays here', 8, 0, ['a lone `', 'stays', 'here']],
])('%j in %d columns after %d', (text, width, first, lines) => {
  expect(wrap(text, width, first)).toEqual(lines);
});

test('no word is lost, and a line that is too long is one word', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 60 }), (text, width) => {
      const lines = wrap(text, width);
      expect(lines.join(' ').split(/\s+/)).toEqual(text.trim().split(/\s+/));
      for (const line of lines)
        expect(line.length <= width || !/ (?=[^`]*(?:`[^`]*`[^`]*)*$)/.test(line)).toBe(true);
    }),
  );
});

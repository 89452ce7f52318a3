import fc from 'fast-check';
import { expect, test } from 'vitest';
import { wrap } from '../../src/sinks/wrap.ts';
import { checkProperty } from '../support/properties.ts';

test.each<[string, number, string[]]>([
  ['', 10, ['']],
  ['one two three', 80, ['one two three']],
  ['one two three', 7, ['one two', 'three']],
  ['averylongword b', 5, ['averylongword', 'b']],
  ['run `sudo df -h /var/lib`, then go', 12, ['run', '`sudo df -h /var/lib`,', 'then go']],
  ['a lone ` stays here', 8, ['a lone `', 'stays', 'here']],
])('%j in %d columns', (text, width, lines) => {
  expect(wrap(text, width)).toEqual(lines);
});

test('no word is lost, and a line that is too long is one word', () => {
  checkProperty(
    fc.property(fc.string(), fc.integer({ min: 1, max: 60 }), (text, width) => {
      const lines = wrap(text, width);
      expect(lines.join(' ').split(/\s+/)).toEqual(text.trim().split(/\s+/));
      for (const line of lines)
        expect(line.length <= width || !/ (?=[^`]*(?:`[^`]*`[^`]*)*$)/.test(line)).toBe(true);
    }),
    100,
  );
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFiles } from '../../../src/host/files/files.ts';
import { segmentMatcher } from '../../../src/host/files/segment-matcher.ts';
import { checkProperty } from '../../support/properties.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const matching = (pattern: string, names: readonly string[]) => names.filter(segmentMatcher(pattern));

describe('a pattern for one segment', () => {
  test.each<[pattern: string, matches: string[], others: string[]]>([
    ['*', ['a', 'a.pem', 'ü', '-'], ['.a', '.']],
    ['*.pem', ['a.pem', 'a.b.pem'], ['.pem', 'a.pem2', 'a.PEM', 'pem']],
    ['a*b*c', ['abc', 'aXbYc', 'abbcc', 'abcbc'], ['acb', 'ab', 'abcd']],
    ['**x', ['x', 'yx'], ['xy']],
    ['*a', ['a', 'aa', 'ba'], ['ab']],
    ['?', ['a', 'ü', '\u{1F4BE}'], ['', 'ab', '.']],
    ['a?c', ['abc', 'a.c'], ['ac', 'abbc']],
    ['[abc]', ['a', 'c'], ['d', 'ab', '']],
    ['[a-c]x', ['ax', 'cx'], ['dx', '-x']],
    ['[a-c0-9]', ['b', '5'], ['d', '-']],
    ['[!a-c]', ['d', '-'], ['a', 'c', '.']],
    ['[^a]', ['b', '^'], ['a']],
    ['[]a]', [']', 'a'], ['b']],
    ['[!]a]', ['b'], [']', 'a']],
    ['[a-]', ['a', '-'], ['b']],
    ['[-a]', ['a', '-'], ['b']],
    ['[*?]', ['*', '?'], ['a']],
    ['a[', ['a['], ['a']],
    ['a[b', ['a[b'], ['ab']],
    ['[z-a]', [], ['a', 'm', 'z']],
    ['x.{cer,pem}', ['x.cer', 'x.pem'], ['x.', 'x.cer,pem', 'x.{cer,pem}']],
    ['{a,b}{1,2}', ['a1', 'b2'], ['a', '12']],
    ['{a,{b,c}d}', ['a', 'bd', 'cd'], ['d', 'b']],
    ['{a*,*b}', ['ax', 'xb'], ['x', '.b']],
    ['{,a}x', ['x', 'ax'], ['a']],
    ['{.a,b}*', ['.ax', 'bx'], ['.bx', 'ax']],
    ['{a}', ['{a}'], ['a']],
    ['{a,b', ['{a,b'], ['a', 'b']],
    ['a}b', ['a}b'], ['ab']],
    ['.*', ['.a', '.'], ['a']],
    ['[.]a', [], ['.a']],
    ['?a', ['ba'], ['.a']],
    [String.raw`\.*`, ['.a'], ['a']],
    [String.raw`a\*`, ['a*'], ['ab', String.raw`a\b`]],
    [String.raw`\[a]`, ['[a]'], ['a']],
    [String.raw`\{a,b}`, ['{a,b}'], ['a']],
    ['a\\', ['a\\'], ['a']],
    ['(a|b)', ['(a|b)'], ['a', 'b']],
    ['*(a)', ['(a)', 'x(a)'], ['a', 'aa']],
    ['+(a)', ['+(a)'], ['a', 'aa']],
    ['@(a)', ['@(a)'], ['a']],
    ['!(a)', ['!(a)'], ['b']],
    ['!a', ['!a'], ['b']],
    ['?(a)', ['x(a)'], ['', 'a']],
    ['a+', ['a+'], ['aa']],
    ['a.c', ['a.c'], ['abc']],
    ['^a$', ['^a$'], ['a']],
    ['', [''], ['a']],
  ])('%s', (pattern, matches, others) => {
    expect(matching(pattern, [...matches, ...others])).toEqual(matches);
  });

  test('1024 characters are allowed, more are refused', () => {
    expect(() => segmentMatcher('['.repeat(1024))).not.toThrow();
    expect(() => segmentMatcher('['.repeat(1025))).toThrow('it has more than 1024 characters');
  });

  test('64 alternatives are allowed, more are refused', () => {
    expect(matching('{a,b}'.repeat(6), ['ababab'])).toEqual(['ababab']);
    expect(() => segmentMatcher('{a,b}'.repeat(7))).toThrow('it has more than 64 alternatives');
    expect(() => segmentMatcher(`{${'a,'.repeat(500)}b}`)).toThrow('it has more than 64 alternatives');
  });
});

describe('patterns that would never end as regular expressions', () => {
  const names = ['a'.repeat(255), 'deadbeef-0123456789abcdef-0123456789abcdef-0123456789abcdef.cer'];

  test.each([
    '*([0-9a-f]+)+!',
    `${'*[0-9a-f]'.repeat(7)}*!`,
    `${'*[0-9a-f]'.repeat(100)}*!`,
    `${'*a'.repeat(500)}b`,
    `${'?*'.repeat(500)}!`,
    `${'*'.repeat(1023)}b`,
    '(a*)*b',
    '{*a*,*b*}{*a*,*b*}{*a*,*b*}{*a*,*b*}{*a*,*b*}{*a*,*b*}!',
  ])('%s', (pattern) => {
    expect(matching(pattern, names)).toEqual([]);
  });

  test.each(['{', '[', '\\', '{a,', '[a', '}', ']'])('1,024 characters of %s', (text) => {
    const pattern = text.repeat(1024 / text.length);
    expect(matching(pattern, ['x', 'a'])).toEqual([]);
  });
});

test('any pattern is a matcher or has too many alternatives, and a pattern of plain characters matches itself', () => {
  const special = fc.stringMatching(/^[a.*?[\]{},!^\\()|+-]{0,40}$/);
  checkProperty(
    fc.property(special, special, (pattern, name) => {
      const result = () => segmentMatcher(pattern)(name);
      try {
        expect(typeof result()).toBe('boolean');
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
      const escaped = name.replaceAll(/[*?[{\\]/g, String.raw`\$&`);
      expect(segmentMatcher(escaped)(name)).toBe(true);
    }),
    2000,
  );
});

test('the matches are those of a regular expression that is built from the same parts', () => {
  const part = fc.constantFrom('*', '?', '[ab]', '[!a]', 'a', 'b', '{a,bb}');
  const expressions: Readonly<Record<string, string>> = {
    '*': '.*',
    '?': '.',
    '[!a]': '[^a]',
    '{a,bb}': '(?:a|bb)',
  };
  checkProperty(
    fc.property(fc.array(part, { maxLength: 5 }), fc.stringMatching(/^[abc]{0,8}$/), (parts, name) => {
      const expression = new RegExp(`^${parts.map((each) => expressions[each] ?? each).join('')}$`);
      expect(segmentMatcher(parts.join(''))(name)).toBe(expression.test(name));
    }),
    2000,
  );
});

test('a pattern with too many alternatives is unreadable and named', async () => {
  const files = createFiles({ hostRoot: await tempFolder() });
  const pattern = `/${'{a,b}'.repeat(7)}/x`;
  await expect(files.find(pattern, AbortSignal.timeout(60_000))).rejects.toMatchObject({
    reason: 'unreadable',
    message: `The pattern ${pattern} cannot be used`,
    cause: { message: 'it has more than 64 alternatives' },
  });
});

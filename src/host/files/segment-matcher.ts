/** One character of a pattern, or any number of them for `*`. */
type Part = '*' | ((character: string) => boolean);

/** A pattern without alternatives; `dot` if it names a leading dot. */
interface Alternative {
  readonly parts: readonly Part[];
  readonly dot: boolean;
}

const maxAlternatives = 64;
/** Room for alternatives: a name itself has 255 bytes at most. */
const maxLength = 1024;

/**
 * A function that matches names against a pattern for one segment of a path: `*`, `?`, `[a-z]`, `[!a-z]` and `{a,b}`; a
 * backslash escapes the next character, and every other character matches itself. As in a shell, a name with a leading
 * dot matches only a pattern that names the dot. The work for one name is at most its length times that of the pattern.
 *
 * @throws RangeError for more than 1024 characters or 64 alternatives.
 */
export function segmentMatcher(pattern: string): (name: string) => boolean {
  if (pattern.length > maxLength) throw new RangeError(`it has more than ${maxLength} characters`);
  const alternatives = expand(pattern).map(parse);
  return (name) => {
    const characters = [...name];
    return alternatives.some(
      ({ parts, dot }) => (dot || characters[0] !== '.') && matches(parts, characters),
    );
  };
}

/** Compares from left to right. After a difference, only the last `*` can take one character more. */
function matches(parts: readonly Part[], characters: readonly string[]): boolean {
  let [at, from] = [0, 0];
  let star: { readonly at: number; readonly from: number } | undefined;
  while (from < characters.length) {
    const part = parts[at];
    if (part === '*') {
      star = { at, from };
      at += 1;
    } else if (part?.(characters[from] ?? '')) {
      at += 1;
      from += 1;
    } else if (star) {
      star = { at: star.at, from: star.from + 1 };
      [at, from] = [star.at + 1, star.from];
    } else return false;
  }
  return parts.slice(at).every((part) => part === '*');
}

function parse(pattern: string): Alternative {
  const parts: Part[] = [];
  const characters = [...pattern];
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] ?? '';
    if (character === '*') {
      if (parts.at(-1) !== '*') parts.push('*');
    } else if (character === '?') {
      parts.push(() => true);
    } else if (character === '[') {
      const set = parseSet(characters, at);
      parts.push(set?.includes ?? is('['));
      at = set?.end ?? at;
    } else {
      const escaped = character === '\\' && at + 1 < characters.length;
      if (escaped) at += 1;
      parts.push(is(characters[at] ?? ''));
    }
  }
  return { parts, dot: /^\\?\./.test(pattern) };
}

const is = (expected: string) => (character: string) => character === expected;

/** The set `[…]` that begins at an index; undefined where it has no end. A `]` that comes first is a member. */
function parseSet(
  characters: readonly string[],
  at: number,
): { readonly includes: (character: string) => boolean; readonly end: number } | undefined {
  const negated = characters[at + 1] === '!' || characters[at + 1] === '^';
  const first = at + (negated ? 2 : 1);
  const end = characters.indexOf(']', first + 1);
  if (end < 0) return undefined;
  const members = characters.slice(first, end);
  const ranges: (readonly [from: string, to: string])[] = [];
  for (let i = 0; i < members.length; i += 1) {
    const from = members[i] ?? '';
    const to = members[i + 1] === '-' ? members[i + 2] : undefined;
    ranges.push([from, to ?? from]);
    if (to !== undefined) i += 2;
  }
  const code = (character: string) => character.codePointAt(0) ?? 0;
  const isMember = (character: string) =>
    ranges.some(([from, to]) => code(from) <= code(character) && code(character) <= code(to));
  return { includes: (character) => isMember(character) !== negated, end };
}

/** The patterns that `{a,b}` stands for, also nested. Braces without a comma or an end are as they stand. */
function expand(pattern: string): readonly string[] {
  let expanded = [''];
  for (let at = 0; at < pattern.length; ) {
    const group = pattern[at] === '{' ? parseGroup(pattern, at) : undefined;
    const length = pattern[at] === '\\' ? 2 : 1;
    const options = group?.options.flatMap(expand) ?? [pattern.slice(at, at + length)];
    if (expanded.length * options.length > maxAlternatives) {
      throw new RangeError(`it has more than ${maxAlternatives} alternatives`);
    }
    expanded = expanded.flatMap((before) => options.map((option) => `${before}${option}`));
    at = group?.end ?? at + length;
  }
  return expanded;
}

/** The options of the `{…}` that begins at an index, and where it ends. */
function parseGroup(
  pattern: string,
  opened: number,
): { readonly options: readonly string[]; readonly end: number } | undefined {
  const options: string[] = [];
  let depth = 0;
  let from = opened + 1;
  for (let at = opened; at < pattern.length; at += 1) {
    const character = pattern[at];
    if (character === '\\') at += 1;
    else if (character === '{') depth += 1;
    else if (character === ',' && depth === 1) {
      options.push(pattern.slice(from, at));
      from = at + 1;
    } else if (character === '}') {
      depth -= 1;
      if (depth > 0) continue;
      options.push(pattern.slice(from, at));
      return options.length > 1 ? { options, end: at + 1 } : undefined;
    }
  }
  return undefined;
}

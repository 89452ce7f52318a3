import type { Directive, MatchBlock, SshConfiguration } from '../../host/ssh/types.ts';

/** What holds for those that a `Match` block is about, or for everybody else. */
export interface Effective {
  /** The first value of a keyword in lower case; undefined where none is configured. */
  value(keyword: string): string | undefined;
  /** The names in a list of algorithms: what is configured, and what is left of the version's own. */
  list(
    keyword: string,
    own: readonly string[],
  ): { readonly configured: readonly string[]; readonly own: readonly string[] };
}

/** For each keyword the first line counts, of those that hold for everybody and of the block. */
export function effectiveFor({ directives }: SshConfiguration, block?: MatchBlock): Effective {
  const active = (each: Directive) =>
    each.block === undefined || (each.block.file === block?.file && each.block.line === block?.line);
  const first = (keyword: string) =>
    directives.find((each) => each.keyword === keyword && active(each))?.values[0];
  return {
    value: (keyword) => first(keyword)?.toLowerCase(),
    list(keyword, own) {
      const written = first(keyword);
      if (written === undefined) return { configured: [], own };
      const names = written.replace(/^[-+^]/, '').split(',');
      if (written.startsWith('-')) {
        const left = own.filter((name) => !matchesAny(name, names));
        // Where nothing is left, sshd keeps everything.
        return { configured: [], own: left.length > 0 ? left : own };
      }
      return {
        configured: names,
        own: /^[+^]/.test(written) ? own.filter((name) => !names.includes(name)) : [],
      };
    },
  };
}

/** `*` and `?` as in ssh_config(5), PATTERNS; in linear time. */
function matchesAny(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => matches(name, pattern));
}

function matches(name: string, pattern: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const fits = (at: number, part: string) =>
    at + part.length <= name.length && [...part].every((char, i) => char === '?' || char === name[at + i]);
  if (!fits(0, first)) return false;
  if (rest.length === 0) return name.length === first.length;
  let at = first.length;
  for (const [i, part] of rest.entries()) {
    if (i === rest.length - 1)
      return name.length - part.length >= at && fits(name.length - part.length, part);
    while (at <= name.length && !fits(at, part)) at += 1;
    if (at > name.length) return false;
    at += part.length;
  }
  return true;
}

import { algorithms, flags, globalOnly, keywords, rootLogins } from './keywords.ts';

/** Lists of words, which may have any number of them. */
const lists = new Set(
  'acceptenv allowgroups allowusers denygroups denyusers authenticationmethods setenv permitopen permitlisten match include'.split(
    ' ',
  ),
);

/** Why sshd would refuse a line, as a clause; undefined for a line that it accepts, as far as its keyword is judged. */
export function refusal(keyword: string, values: readonly string[], isInMatch: boolean): string | undefined {
  if (!keywords.has(keyword)) return 'has an unknown keyword';
  const [value = ''] = values;
  if (values.length === 0 || (value === '' && !lists.has(keyword))) return 'has no value';
  if (isInMatch && globalOnly.has(keyword)) return 'is not allowed in a Match block';
  if (flags.has(keyword)) return /^(yes|no)$/i.test(value) ? extra(values) : 'must be yes or no';
  if (keyword === 'permitrootlogin')
    return rootLogins.has(value.toLowerCase()) ? extra(values) : 'has a value that is none of its own';
  const names = algorithms[keyword];
  if (names) return algorithmProblem(value, names) ?? extra(values);
  return undefined;
}

const extra = (values: readonly string[]): string | undefined =>
  values.length > 1 ? 'has more than one value' : undefined;

/** After `-`, patterns may match nothing; otherwise each name must be known. */
function algorithmProblem(list: string, names: ReadonlySet<string>): string | undefined {
  if (list.startsWith('-')) return undefined;
  const plain = /^[+^]/.test(list) ? list.slice(1) : list;
  // Debian's and Red Hat's builds add key exchanges for Kerberos.
  const isKnown = (name: string) => names.has(name) || /^gss-/.test(name);
  return plain !== '' && plain.split(',').every(isKnown) ? undefined : 'names an algorithm that is not known';
}

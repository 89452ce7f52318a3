import { isIP } from 'node:net';
import { literalAddress } from './literal-address.ts';

/** The settings of resolv.conf(5), with glibc's defaults and limits. */
export interface ResolvConf {
  /** In the order of the file; one to three addresses. */
  readonly servers: readonly string[];
  /** The domains that are appended to a name, in turn. */
  readonly search: readonly string[];
  /** A name with at least this many dots is tried as it is before the search list. */
  readonly ndots: number;
  readonly timeoutSeconds: number;
  /** Rounds over all servers. */
  readonly attempts: number;
  readonly rotate: boolean;
  readonly noTldQuery: boolean;
  readonly noAaaa: boolean;
}

export const maxResolvConfBytes = 65_536;
// RES_DFLRETRY, RES_TIMEOUT and the RES_MAX constants of glibc's resolv.h.
const defaults = { ndots: 1, timeout: 5, attempts: 2 };
const limits = { ndots: 15, timeout: 30, attempts: 5 };
const maxServers = 3;

/** Parses as glibc's res_init.c does. Without `search` and `domain`, the domain of the host name is searched. */
export function parseResolvConf(text: string, hostname: string): ResolvConf {
  const servers: string[] = [];
  const options: string[] = [];
  const [, ownDomain] = /^[^.]*\.(.+)$/.exec(hostname) ?? [];
  let search = ownDomain === undefined ? [] : [ownDomain];
  for (const line of text.split('\n')) {
    // Keywords start in the first column. Any other line is ignored, such as a comment.
    const [, keyword, rest = ''] = /^(nameserver|domain|search|options)[ \t](.*)/s.exec(line) ?? [];
    const words = rest.split(/[ \t]+/).filter((word) => word !== '');
    const [first] = words;
    if (first === undefined) continue;
    if (keyword === 'nameserver') servers.push(...serverAddress(first));
    if (keyword === 'domain') search = [first];
    if (keyword === 'search') search = words;
    if (keyword === 'options') options.push(...words);
  }
  const number = (name: keyof typeof defaults): number => {
    const written = options.findLast((option) => option.startsWith(`${name}:`));
    if (written === undefined) return defaults[name];
    return Math.min(Number.parseInt(written.slice(name.length + 1), 10) || 0, limits[name]);
  };
  const has = (...names: readonly string[]) =>
    options.some((option) => names.some((name) => option.startsWith(name)));
  return {
    servers: servers.length > 0 ? servers.slice(0, maxServers) : ['127.0.0.1'],
    search,
    ndots: number('ndots'),
    timeoutSeconds: number('timeout'),
    attempts: number('attempts'),
    rotate: has('rotate'),
    noTldQuery: has('no-tld-query', 'no_tld_query'),
    noAaaa: has('no-aaaa'),
  };
}

const serverAddress = (text: string): string[] => {
  const address = isIP(text) === 0 ? literalAddress(text) : text;
  return address === undefined ? [] : [address];
};

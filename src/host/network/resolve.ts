import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { CannotTell } from '../../check.ts';
import { codeOf } from '../../errors.ts';

/**
 * The addresses of a name, IPv4 first; at least one. An address resolves to itself.
 *
 * @throws CannotTell `dns_failed`, naming the name, the resolver's code and the servers asked.
 */
export type Resolve = (name: string, signal: AbortSignal) => Promise<readonly string[]>;

/** How long the second address family may take once the first has answered (RFC 8305, section 3). */
const resolutionDelayMs = 50;

const codeDescriptions: Readonly<Record<string, string>> = {
  ENOTFOUND: 'there is no such name',
  ENODATA: 'the name has no address',
  ESERVFAIL: 'the server failed',
  EREFUSED: 'the server refused to answer',
  ECONNREFUSED: 'nothing listens on the server',
  ETIMEOUT: 'the server did not answer',
  EBADNAME: 'the name is not well formed',
};

/**
 * Resolves names by the hosts file and then by c-ares, never by `dns.lookup`, which cannot be cancelled and shares libuv's
 * four threads with every file operation. Without `servers`, those of /etc/resolv.conf, read each time.
 */
export function createResolve(options: { hostsFile?: string; servers?: readonly string[] } = {}): Resolve {
  const { hostsFile = '/etc/hosts', servers } = options;

  return async (name, signal) => {
    signal.throwIfAborted();
    if (isIP(name) !== 0) return [name];
    const listed = hostsEntries(await readHosts(hostsFile, signal), name);
    if (listed.length > 0) return listed;
    // Never sent to a server (RFC 6761, section 6.3).
    if (/(^|\.)localhost\.?$/i.test(name)) return ['127.0.0.1', '::1'];
    return askServers(name, servers, signal);
  };
}

/** As {@link Resolve}, but without the hosts file. `servers` are `IP[:port]`, by default those of /etc/resolv.conf. */
export async function askServers(
  name: string,
  servers: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<string[]> {
  // One resolver for each query: cancel() ends all queries of a resolver, and a resolver caches answers.
  const resolver = new Resolver();
  if (servers !== undefined) resolver.setServers(servers);
  const cancel = () => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const answers = await bothFamilies(resolver.resolve4(name), resolver.resolve6(name));
    const addresses = answers.flatMap((answer) => (answer?.status === 'fulfilled' ? answer.value : []));
    if (addresses.length > 0) return addresses;
    signal.throwIfAborted();
    throw unresolved(name, answers, resolver.getServers());
  } finally {
    signal.removeEventListener('abort', cancel);
    resolver.cancel();
  }
}

type Answer = PromiseSettledResult<string[]>;

/** Both families' answers, IPv4 first. Does not wait for a family much slower than one that has addresses. */
async function bothFamilies(
  ipv4: Promise<string[]>,
  ipv6: Promise<string[]>,
): Promise<(Answer | undefined)[]> {
  const settled: (Answer | undefined)[] = [undefined, undefined];
  const keep = async (work: Promise<string[]>, index: number) => {
    const [answer] = await Promise.allSettled([work]);
    settled[index] = answer;
  };
  const families = [keep(ipv4, 0), keep(ipv6, 1)];
  const both = Promise.all(families);
  await Promise.race(families);
  const answered = settled.some((answer) => answer?.status === 'fulfilled' && answer.value.length > 0);
  await (answered ? Promise.race([both, setTimeout(resolutionDelayMs)]) : both);
  return [...settled];
}

function unresolved(
  name: string,
  answers: readonly (Answer | undefined)[],
  servers: readonly string[],
): CannotTell {
  const causes = answers.flatMap((answer) =>
    answer?.status === 'rejected' ? [answer.reason as unknown] : [],
  );
  // "No address of this family" says least, so another failure is preferred as the reason.
  const cause = causes.find((each) => codeOf(each) !== 'ENODATA') ?? causes[0];
  const code = codeOf(cause) ?? String(cause);
  const words = codeDescriptions[code] ?? 'the lookup failed';
  const asked = servers.length > 0 ? `, asked ${servers.join(', ')}` : '';
  return new CannotTell('dns_failed', `${name} does not resolve: ${words} (${code}${asked})`, { cause });
}

/** The hosts file's text; empty without one, as for the system's resolver. */
async function readHosts(path: string, signal: AbortSignal): Promise<string> {
  try {
    return await readFile(path, { encoding: 'utf8', signal });
  } catch (cause) {
    signal.throwIfAborted();
    if (codeOf(cause) === 'ENOENT') return '';
    throw new CannotTell('dns_failed', `The hosts file ${path} cannot be read (${codeOf(cause) ?? cause})`, {
      cause,
    });
  }
}

/** The addresses of a name in hosts(5), IPv4 first. */
function hostsEntries(text: string, name: string): string[] {
  const wanted = name.toLowerCase().replace(/\.$/, '');
  const addresses = text.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    return isIP(address) !== 0 && names.some((each) => each.toLowerCase() === wanted) ? [address] : [];
  });
  return [...new Set(addresses)].sort((a, b) => isIP(a) - isIP(b));
}

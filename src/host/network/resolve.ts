import { hostname } from 'node:os';
import { CannotTell } from '../../check.ts';
import { formatEndpoint } from '../../endpoint.ts';
import { listedAddresses, maxHostsBytes } from './dns/hosts-file.ts';
import { literalAddress } from './dns/literal-address.ts';
import { askServer, type Found } from './dns/name-server.ts';
import { maxResolvConfBytes, parseResolvConf } from './dns/resolv-conf.ts';
import { askInTurn, searchName, type Unresolved } from './dns/search.ts';
import { createSystemFile } from './dns/system-file.ts';

/**
 * The addresses of a name, IPv4 first; at least one. An address resolves to itself.
 *
 * @throws CannotTell `dns_failed`, naming the name, the resolver's code and the servers asked.
 */
export type Resolve = (name: string, signal: AbortSignal) => Promise<readonly string[]>;

/** Resolves names as glibc does: by the hosts file, then by the servers and the search list of resolv.conf. */
export interface NameResolver {
  /** For connections: waits neither for an address family that is much slower than the other, nor long for a silent server. */
  readonly resolve: Resolve;
  /** For every address of the name: waits for both families, and as long as getaddrinfo(3) does. */
  readonly resolveFully: (name: string, signal: AbortSignal) => Promise<Found>;
}

interface Options {
  readonly hostsFile?: string;
  readonly resolvConf?: string;
  /** Where the name servers listen. */
  readonly port?: number;
  readonly resolutionDelayMs?: number;
}

/** How long the second address family may take once the first has answered (RFC 8305, section 3). */
export const resolutionDelayMs = 50;

/**
 * How long a connection waits for a server that is followed by another. With glibc's 5 s, the usual time limit of a target
 * would end before the second server is asked.
 */
const firstRoundMs = 2000;

/** Follows changes of both files. */
export function createResolver(options: Options = {}): NameResolver {
  const { port = 53 } = options;
  const hosts = createSystemFile(options.hostsFile ?? '/etc/hosts', maxHostsBytes);
  const resolvConf = createSystemFile(options.resolvConf ?? '/etc/resolv.conf', maxResolvConfBytes);
  const delayMs = options.resolutionDelayMs ?? resolutionDelayMs;
  let queries = 0;

  const find = async (name: string, bothFamilies: boolean, signal: AbortSignal): Promise<Found> => {
    signal.throwIfAborted();
    const address = literalAddress(name);
    const listed = address === undefined ? listedAddresses(await hosts(signal), name) : [address];
    if (listed.length > 0) return { addresses: listed, usableAt: performance.now() };
    // Never sent to a server (RFC 6761, section 6.3).
    if (/(^|\.)localhost\.?$/i.test(name)) {
      return { addresses: ['127.0.0.1', '::1'], usableAt: performance.now() };
    }
    const config = parseResolvConf(await resolvConf(signal), hostname());
    const tried: string[] = [];
    const outcome = await searchName(name, config, (candidate) => {
      tried.push(candidate);
      const turns = {
        offset: config.rotate ? queries++ : 0,
        firstRoundMs: bothFamilies ? Number.POSITIVE_INFINITY : firstRoundMs,
      };
      return askInTurn(candidate, config, turns, (asked, address, timeoutMs) => {
        const server = port === 53 ? address : formatEndpoint({ host: address, port });
        const { noAaaa } = config;
        return askServer(
          { name: asked, server, noAaaa, timeoutMs, resolutionDelayMs: delayMs, bothFamilies },
          signal,
        );
      });
    });
    if ('addresses' in outcome) return outcome;
    throw unresolved(name, outcome, tried);
  };

  return {
    resolve: async (name, signal) => (await find(name, false, signal)).addresses,
    resolveFully: (name, signal) => find(name, true, signal),
  };
}

const codeDescriptions: Readonly<Record<string, string>> = {
  ENOTFOUND: 'there is no such name',
  ENODATA: 'the name has no address',
  ESERVFAIL: 'the server failed',
  EREFUSED: 'the server refused to answer',
  ECONNREFUSED: 'nothing listens on the server',
  ETIMEOUT: 'the server did not answer',
  EBADNAME: 'the name is not well formed',
};

/** The error for a name without an address. `tried` are the names that were asked for. */
export function unresolved(
  name: string,
  { code, cause, replies }: Unresolved,
  tried: readonly string[] = [],
): CannotTell {
  const words = codeDescriptions[code] ?? 'the lookup failed';
  const others = tried.filter((each) => each !== name);
  const more = others.length > 3 ? ` and ${others.length - 3} more` : '';
  const isUnanimous = replies.every((reply) => reply.code === code);
  const details = [
    ...(isUnanimous ? [code] : []),
    ...(others.length > 0 ? [`also as ${others.slice(0, 3).join(', ')}${more}`] : []),
    isUnanimous
      ? `asked ${replies.map(({ server }) => server).join(', ')}`
      : replies.map((reply) => `${reply.code} by ${reply.server}`).join(', '),
  ];
  return new CannotTell('dns_failed', `${name} does not resolve: ${words} (${details.join(', ')})`, {
    cause,
  });
}

import { formatHost } from '../../endpoint.ts';
import type { Listener } from '../../host/network/types.ts';

const maxAddresses = 4;

/** `tcp/8080 listens on all addresses (0.0.0.0 and ::), by user id 1000`. */
export function describePort(
  target: string,
  sockets: readonly Listener[],
  publisher: string | undefined,
): string {
  const addresses = [...new Set(sockets.map(({ address }) => address))];
  const users = [...new Set(sockets.map(({ uid }) => uid))].sort((a, b) => a - b);
  const [uid] = users;
  const by =
    users.length > 1 ? `user ids ${listed(users.map(String))}` : uid === 0 ? 'root' : `user id ${uid}`;
  return `${target} ${target.startsWith('tcp') ? 'listens' : 'receives'} on ${where(addresses)}, ${publisher === undefined ? `opened by ${by}` : publishedBy(publisher, target)}`;
}

/** edgeHub answers `/metrics` ahead of everything else on its HTTPS port (Edge.Hub.Service, Startup.cs). */
const publishedBy = (publisher: string, target: string): string =>
  publisher === 'edgeHub' && target === 'tcp/443'
    ? 'published by edgeHub, which answers /metrics there too, whoever asks'
    : `published by the container ${publisher}`;

/** How many ports are not listed one by one. */
export const describeRest = (more: number, isAllowed: boolean): string =>
  more === 0
    ? 'Nothing listens on the network'
    : `${more} more ports listen, ${isAllowed ? 'all of them allowed' : 'not all of them allowed'}`;

/** What to do about a port that is not allowed. */
export function remedyFor(
  target: string,
  sockets: readonly Listener[],
  publisher: string | undefined,
): string {
  const [, port] = target.split('/');
  if (port === undefined) return 'List them: `sudo ss -lntup`. Then close those that nobody needs.';
  const allow = `add "${target}" to checks.listeningPorts.allowed of the policy`;
  if (publisher !== undefined)
    return `Remove the port from "PortBindings" in "HostConfig" of the createOptions of ${publisher}. If it is meant to be open, ${allow}.`;
  const published = sockets.some(({ uid }) => uid === 0)
    ? ' docker-proxy or dockerd is a module: remove the port from PortBindings in its createOptions.'
    : '';
  return `See which program it is: \`sudo ss -lntup 'sport = :${port}'\`.${published} Stop a service that nobody needs: \`sudo systemctl disable --now NAME\`, or bind it to 127.0.0.1. If the port is meant to be open, ${allow}.`;
}

function where(addresses: readonly string[]): string {
  const all = addresses.filter((address) => address === '0.0.0.0' || address === '::');
  if (all.includes('0.0.0.0') && all.includes('::')) return 'all addresses (0.0.0.0 and ::)';
  if (all.includes('::')) return 'all IPv6 addresses (::), which usually includes IPv4';
  if (all.length > 0) return 'all IPv4 addresses (0.0.0.0)';
  const some = addresses.slice(0, maxAddresses).map(formatHost);
  return listed(
    addresses.length > maxAddresses ? [...some, `${addresses.length - maxAddresses} more`] : some,
  );
}

/** `a, b and c` */
const listed = (parts: readonly string[]): string => parts.join(', ').replace(/, (?=[^,]*$)/, ' and ');

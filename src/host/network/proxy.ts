import { request, STATUS_CODES } from 'node:http';
import { BlockList, isIP, type Socket } from 'node:net';
import { CannotTell } from '../../check.ts';
import { type Endpoint, formatEndpoint, type HttpProxy } from '../../endpoint.ts';
import { describeFailure } from '../../errors.ts';

/** The proxy for an endpoint, if one is used. */
export type ProxyFor = (endpoint: Endpoint) => HttpProxy | undefined;

/**
 * Which endpoints go through the proxy: all except those that `no_proxy` covers, a comma-separated list of `*`, names and
 * addresses, each with an optional port, and networks such as `10.0.0.0/8`. A name covers the names below it, with or
 * without a leading dot. Networks cover addresses, not names that resolve to them, as in curl and Go.
 */
export function createProxyFor(proxy: HttpProxy | undefined, noProxy: string): ProxyFor {
  const exceptions = noProxy.split(/[\s,]+/).filter((entry) => entry !== '');
  return (endpoint) => (exceptions.some((entry) => covers(entry, endpoint)) ? undefined : proxy);
}

function covers(entry: string, { host, port }: Endpoint): boolean {
  if (entry === '*') return true;
  const [, network = '', prefix] = /^([^/]*)\/(\d{1,3})$/.exec(entry) ?? [];
  if (prefix !== undefined) return isInNetwork(host, network, Number(prefix));
  const [, bracketed, plain = '', ofPort] =
    /^(?:\[(.*)\]|(.*?))(?::(\d+))?$/.exec(isIP(entry) === 6 ? `[${entry}]` : entry) ?? [];
  if (ofPort !== undefined && Number(ofPort) !== port) return false;
  const covered = (bracketed ?? plain).toLowerCase().replace(/^\*?\./, '');
  if (isIP(covered) !== 0) return isInNetwork(host, covered, isIP(covered) === 6 ? 128 : 32);
  const name = host.toLowerCase();
  return name === covered || (isIP(name) === 0 && name.endsWith(`.${covered}`));
}

function isInNetwork(host: string, network: string, prefix: number): boolean {
  const [family, hostFamily] = [isIP(network), isIP(host)];
  if (family === 0 || hostFamily === 0 || prefix > (family === 6 ? 128 : 32)) return false;
  if (family === 6 && hostFamily === 4) return false;
  const list = new BlockList();
  list.addSubnet(network, prefix, family === 6 ? 'ipv6' : 'ipv4');
  return list.check(host, hostFamily === 6 ? 'ipv6' : 'ipv4');
}

/**
 * Asks a proxy to connect to an endpoint, over a connection to the proxy that then carries it.
 *
 * @throws CannotTell `proxy_failed` with the proxy's status.
 */
export function connectThrough(
  socket: Socket,
  proxy: HttpProxy,
  endpoint: Endpoint,
  signal: AbortSignal,
): Promise<void> {
  const authority = formatEndpoint(endpoint);
  const { authorization } = proxy;
  return new Promise((resolve, reject) => {
    const tunnel = request({
      method: 'CONNECT',
      path: authority,
      headers: { Host: authority, ...(authorization && { 'Proxy-Authorization': authorization }) },
      createConnection: () => socket,
      signal,
    });
    tunnel.once('connect', ({ statusCode = 0 }, _, head) => {
      if (statusCode >= 200 && statusCode < 300) {
        socket.unshift(head);
        return resolve();
      }
      const status = `${statusCode} ${STATUS_CODES[statusCode] ?? ''}`.trim();
      // 401 is for origins, but tinyproxy answers it for wrong credentials.
      const why = statusCode === 407 || statusCode === 401 ? credentialsProblem(authorization) : '';
      const message = `The proxy ${formatEndpoint(proxy)} refused to connect to ${authority} (${status})${why}`;
      reject(new CannotTell('proxy_failed', message));
    });
    tunnel.on('error', (cause) => {
      if (signal.aborted) return reject(signal.reason);
      const attempt = `The proxy ${formatEndpoint(proxy)} gave no usable answer`;
      reject(new CannotTell('proxy_failed', describeFailure(attempt, cause), { cause }));
    });
    tunnel.end();
  });
}

const credentialsProblem = (authorization: string | undefined): string =>
  authorization === undefined
    ? ': it requires credentials, and https_proxy has none'
    : ': it does not accept the credentials in https_proxy';

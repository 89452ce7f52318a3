import { request, STATUS_CODES } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { CannotTell } from '../check.ts';
import type { Endpoint } from '../host.ts';
import { hostPort } from './dial.ts';

/** An HTTP proxy that is asked to CONNECT (RFC 9110, section 9.3.6). */
export interface Proxy extends Endpoint {
  /** The Proxy-Authorization header. Secret: never part of a message. */
  readonly authorization?: string;
}

/** The proxy for an endpoint, if it is to be reached through one. */
export type ProxyFor = (endpoint: Endpoint) => Proxy | undefined;

/**
 * Reads `https_proxy` (`http://[user:password@]host[:port]`, port 80 by default) and `no_proxy`: a list by commas of
 * `*`, names and addresses, each with an optional port. A name covers the names below it, with or without a
 * leading dot.
 *
 * @throws Error for a proxy address that cannot be used; its text leaves credentials out.
 */
export function createProxyFor(settings: { httpsProxy?: string; noProxy?: string }): ProxyFor {
  if (settings.httpsProxy === undefined || settings.httpsProxy.trim() === '') return () => undefined;
  const proxy = parseProxy(settings.httpsProxy.trim());
  const exceptions = (settings.noProxy ?? '').split(/[\s,]+/).filter((entry) => entry !== '');
  return (endpoint) => (exceptions.some((entry) => covers(entry, endpoint)) ? undefined : proxy);
}

function parseProxy(text: string): Proxy {
  // curl and others take an address without a scheme for http as well.
  const withScheme = text.includes('://') ? text : `http://${text}`;
  const url = URL.canParse(withScheme) ? new URL(withScheme) : undefined;
  if (url === undefined || url.protocol !== 'http:' || url.hostname === '') {
    throw new Error(
      `The proxy "${withoutCredentials(text)}" cannot be used: it must be of the form http://host:port`,
    );
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const endpoint = { host, port: url.port === '' ? 80 : Number(url.port) };
  if (url.username === '' && url.password === '') return endpoint;
  const credentials = `${decode(url.username)}:${decode(url.password)}`;
  return { ...endpoint, authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
}

/** A password with a bare percent sign is taken as it stands. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const withoutCredentials = (text: string): string => text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1');

function covers(entry: string, { host, port }: Endpoint): boolean {
  if (entry === '*') return true;
  const [, bracketed, plain = '', ofPort] =
    /^(?:\[(.*)\]|(.*?))(?::(\d+))?$/.exec(isIP(entry) === 6 ? `[${entry}]` : entry) ?? [];
  if (ofPort !== undefined && Number(ofPort) !== port) return false;
  const covered = (bracketed ?? plain).toLowerCase().replace(/^\*?\./, '');
  const name = host.toLowerCase();
  return name === covered || (isIP(name) === 0 && name.endsWith(`.${covered}`));
}

/**
 * Has a proxy connect to an endpoint, over a connection to the proxy which then carries that to the endpoint.
 *
 * @throws CannotTell `proxy_failed` with the proxy's status.
 */
export function connectThrough(
  socket: Socket,
  proxy: Proxy,
  endpoint: Endpoint,
  signal: AbortSignal,
): Promise<void> {
  const authority = hostPort(endpoint);
  const { authorization } = proxy;
  return new Promise((resolve, reject) => {
    const asked = request({
      method: 'CONNECT',
      path: authority,
      headers: { Host: authority, ...(authorization && { 'Proxy-Authorization': authorization }) },
      createConnection: () => socket,
      signal,
    });
    asked.once('connect', ({ statusCode = 0 }, _, head) => {
      if (statusCode >= 200 && statusCode < 300) {
        socket.unshift(head);
        return resolve();
      }
      const status = `${statusCode} ${STATUS_CODES[statusCode] ?? ''}`.trim();
      // 401 is for origins, but tinyproxy has it for credentials that are wrong.
      const why = statusCode === 407 || statusCode === 401 ? credentialsProblem(authorization) : '';
      const message = `The proxy ${hostPort(proxy)} refused to connect to ${authority} (${status})${why}`;
      reject(new CannotTell('proxy_failed', message));
    });
    asked.on('error', (cause: NodeJS.ErrnoException) => {
      if (signal.aborted) return reject(signal.reason);
      const message = `The proxy ${hostPort(proxy)} gave no usable answer (${cause.code ?? cause.message})`;
      reject(new CannotTell('proxy_failed', message, { cause }));
    });
    asked.end();
  });
}

const credentialsProblem = (authorization: string | undefined): string =>
  authorization === undefined
    ? ': it wants credentials, and https_proxy has none'
    : ': it does not accept the credentials in https_proxy';

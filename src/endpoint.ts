/** A host and a TCP or UDP port. An IPv6 address is written without brackets. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** What is wrong with a text that is not an endpoint. */
export type EndpointProblem = 'bad host' | 'link-local' | 'no port' | 'bad port';

/**
 * Parses `host:port` or `[IPv6]:port`; with a default port, `host` and `[IPv6]` as well. A host is a {@link isHostName name}
 * or an address. A link-local IPv6 address needs a zone, and zones are not supported.
 */
export function parseEndpoint(text: string, defaultPort?: number): Endpoint | EndpointProblem {
  const [, bracketed, name, written] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/s.exec(text) ?? [];
  const host = bracketed ?? name;
  if (bracketed !== undefined && isLinkLocal(bracketed)) return 'link-local';
  if (host === undefined || !isHost(host, bracketed !== undefined)) return 'bad host';
  const port = written === undefined ? defaultPort : parsePort(written);
  if (port === undefined) return written === undefined ? 'no port' : 'bad port';
  return port >= 1 ? { host, port } : 'bad port';
}

const isHost = (text: string, isIPv6: boolean): boolean =>
  isIPv6 ? URL.canParse(`http://[${text}]`) : isHostName(text) && URL.canParse(`http://${text}`);

/** Whether an IPv6 address, with or without a zone, is in fe80::/10. */
export const isLinkLocal = (address: string): boolean => /^fe[89ab][0-9a-f]:/i.test(address);

/** Whether a text is a host name that can resolve (RFC 1123), also with underscores and with a dot at its end. */
export const isHostName = (text: string): boolean =>
  text.length <= 253 &&
  text
    .replace(/\.$/, '')
    .split('.')
    .every((label) => /^[a-z0-9_][a-z0-9_-]{0,62}$/i.test(label));

/** A port from 0 to 65535 in decimal digits; undefined for anything else. */
export function parsePort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  return port <= 65_535 ? port : undefined;
}

/** `host:port`, with an IPv6 address in brackets. */
export const formatEndpoint = ({ host, port }: Endpoint): string => `${formatHost(host)}:${port}`;

/** A host as it is written before a port: an IPv6 address in brackets. */
export const formatHost = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/** The host of a URL, without the brackets of an IPv6 address, and its port. */
export const endpointOf = ({ hostname, port }: URL, defaultPort: number): Endpoint => ({
  host: hostname.replace(/^\[|\]$/g, ''),
  port: port === '' ? defaultPort : Number(port),
});

/** A URL for a message, with `…` in place of a user name and password, however oddly they are written. */
export const withoutCredentials = (text: string): string =>
  text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.+@/is, '$1…@');

const secretName = `(?:shared)?access(?:key|signature)|accountkey|sig|signature|password|passwd|pwd|secret|token|api[_-]?key`;
const assignment = new RegExp(String.raw`\b(${secretName})=[^\s;&"'<>]+`, 'gi');
const parameter = new RegExp(`[?&](${secretName})=`, 'i');

/** The name of a parameter in a URL whose value looks secret, such as `sig` of a shared access signature. */
export const secretParameter = (url: string): string | undefined => parameter.exec(url)?.[1];

/** A text for a message, with `…` in place of values that look secret: of connection strings, signatures and PEM keys. */
export const withoutSecrets = (text: string): string =>
  text.replace(assignment, '$1=…').replace(/-----BEGIN.*/is, '-----BEGIN…');

/** An HTTP proxy that is asked to CONNECT (RFC 9110, section 9.3.6). */
export interface HttpProxy extends Endpoint {
  /** The Proxy-Authorization header. Secret: never part of a message. */
  readonly authorization?: string;
}

/** Parses `[http://][user:password@]host[:port][/]`, port 80 by default; undefined for anything else. */
export function parseProxy(text: string): HttpProxy | undefined {
  // curl and others take an address without a scheme for http as well.
  const [, credentials = '', written = ''] = /^(?:http:\/\/)?([^/?#]*@)?([^/?#@]*)\/?$/i.exec(text) ?? [];
  const endpoint = parseEndpoint(written, 80);
  if (typeof endpoint === 'string') return undefined;
  if (credentials === '') return endpoint;
  const [user = '', ...password] = credentials.slice(0, -1).split(':');
  const decoded = `${decode(user)}:${decode(password.join(':'))}`;
  return { ...endpoint, authorization: `Basic ${Buffer.from(decoded).toString('base64')}` };
}

/** A password with a bare percent sign is taken as it stands. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

import { z } from 'zod';
import { CannotTell } from '../check.ts';
import type { Endpoint, ProbeTarget } from '../host.ts';
import { type Named, placeholderProblem, withSampleNames } from './names.ts';

/** A probe target as a policy has it: `tcp://host:port`, `tls://host:port` or `https://host[:port][/path]`. */
export const probeTarget = z
  .string()
  .superRefine((text, context) => {
    const parsed = parseProbeTarget(withSampleNames(text));
    const problem = placeholderProblem(text) ?? (typeof parsed === 'string' ? parsed : undefined);
    if (problem) context.addIssue(`${quote(text)} ${problem}`);
  })
  .describe(
    'tcp://host:port, tls://host:port or https://host[:port][/path]; {iothub}, {gateway}, {device} and {dps} are names, {registries} all those that images here come from',
  );

/**
 * Takes the target of a subject apart.
 *
 * @throws CannotTell when a placeholder stands for nothing here, or for something that makes no target.
 */
export function targetOf({ target, cannotTell }: Named): ProbeTarget {
  if (cannotTell) throw cannotTell;
  const parsed = parseProbeTarget(target);
  if (typeof parsed === 'string') throw new CannotTell('unreadable', `The target ${target} ${parsed}`);
  return parsed;
}

/** Takes a target apart whose placeholders are expanded, or says in a clause what is wrong with it. */
export function parseProbeTarget(text: string): ProbeTarget | string {
  const [, scheme = '', authority = '', rest = ''] = /^([a-z]+):\/\/([^/?#]*)(.*)$/is.exec(text) ?? [];
  if (scheme !== 'tcp' && scheme !== 'tls' && scheme !== 'https')
    return 'must begin with tcp://, tls:// or https://';
  if (authority.includes('@')) return 'must not hold a user name or password';

  const [, bracketed, name, portText] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/s.exec(authority) ?? [];
  const host = bracketed ?? name;
  if (host === undefined || !isHost(host, bracketed !== undefined)) {
    return 'has no usable host (an IPv6 address stands in brackets)';
  }
  if (portText === undefined && scheme !== 'https') return `has no port: write ${scheme}://${authority}:port`;
  const port = portText === undefined ? 443 : Number(portText);
  if (!/^\d{1,5}$/.test(portText ?? '443') || port < 1 || port > 65_535)
    return 'has a port that is not 1 to 65535';
  // RFC 3986, section 6.2.3: https://host and https://host/ are the same.
  if (rest === '' || (scheme === 'https' && rest === '/')) return { scheme, host, port };
  if (scheme !== 'https') return `must end after the port: only https:// takes a path`;
  if (!/^[!-~]*$/.test(rest) || rest.includes('#'))
    return 'has a path with characters that a URL cannot send';
  return { scheme, host, port, path: rest.startsWith('/') ? rest : `/${rest}` };
}

function isHost(text: string, ipv6: boolean): boolean {
  if (ipv6) return URL.canParse(`http://[${text}]`);
  return /^[a-z0-9._-]{1,253}$/i.test(text) && URL.canParse(`http://${text}`);
}

/** An endpoint as people write it, IPv6 in brackets. */
export const hostPort = ({ host, port }: Endpoint): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** The value in a message, without credentials and bounded. */
export const quote = (text: string): string =>
  `"${text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1…@').slice(0, 200)}"`;

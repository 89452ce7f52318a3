import * as z from 'zod';
import { CannotTell } from '../../check.ts';
import { parseEndpoint, secretParameter } from '../../endpoint.ts';
import type { ProbeTarget } from '../../host/network/types.ts';
import { type Named, placeholderProblem, withSampleNames } from './placeholders.ts';

/** A probe target in a policy: `tcp://host:port`, `tls://host:port` or `https://host[:port][/path]`. */
export const probeTarget = z
  .string()
  .superRefine((text, context) => {
    const parsed = parseProbeTarget(withSampleNames(text));
    const problem = placeholderProblem(text) ?? (typeof parsed === 'string' ? parsed : undefined);
    if (problem) context.addIssue(problem);
  })
  .describe(
    'tcp://host:port, tls://host:port or https://host[:port][/path]; {iothub}, {gateway}, {device} and {dps} are names, {registries} every registry that images here come from',
  );

/**
 * Parses the target of a subject.
 *
 * @throws CannotTell when a placeholder is unknown here, or its value does not make a target.
 */
export function targetOf({ target, cannotTell }: Named): ProbeTarget {
  if (cannotTell) throw cannotTell;
  const parsed = parseProbeTarget(target);
  if (typeof parsed === 'string') throw new CannotTell('unreadable', `The target ${target} ${parsed}`);
  return parsed;
}

/** Of an address that cannot be used, as the end of a sentence. */
export const linkLocal =
  'has a link-local address, which needs a zone, and zones are not supported: write another address';

/** Parses a target with expanded placeholders; returns a clause for one that is invalid. */
export function parseProbeTarget(text: string): ProbeTarget | string {
  const [, scheme = '', authority = '', rest = ''] = /^([a-z]+):\/\/([^/?#]*)(.*)$/is.exec(text) ?? [];
  if (scheme !== 'tcp' && scheme !== 'tls' && scheme !== 'https')
    return 'must begin with tcp://, tls:// or https://';
  if (authority.includes('@')) return 'must not hold a user name or password';
  const endpoint = parseEndpoint(authority, scheme === 'https' ? 443 : undefined);
  if (endpoint === 'link-local') return linkLocal;
  if (endpoint === 'bad host') {
    const hint = authority.split(':').length > 2 ? ' (write an IPv6 address in brackets)' : '';
    return `has no usable host${hint}`;
  }
  if (endpoint === 'no port') return `has no port: write ${scheme}://${authority}:port`;
  if (endpoint === 'bad port') return 'has a port that is not 1 to 65535';
  const { host, port } = endpoint;
  // RFC 3986, section 6.2.3: https://host and https://host/ are the same.
  if (rest === '' || (scheme === 'https' && rest === '/')) return { scheme, host, port };
  if (scheme !== 'https') return `must end after the port: only https:// takes a path`;
  const secret = secretParameter(rest);
  if (secret !== undefined)
    return `must not hold a secret (${secret}): targets appear in reports and metrics`;
  if (!/^[!-~]*$/.test(rest) || rest.includes('#'))
    return 'has a path with characters that a URL cannot send';
  return { scheme, host, port, path: rest.startsWith('/') ? rest : `/${rest}` };
}

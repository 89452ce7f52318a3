import { parseEndpoint } from '../endpoint.ts';

/**
 * Whether a request with this `Host` header is answered. Without allowed names, every request is. Addresses and
 * `localhost` always are: DNS rebinding makes a browser send the attacker's name.
 */
export function isAllowedHost(header: string | undefined, allowed: readonly string[]): boolean {
  if (allowed.length === 0) return true;
  const endpoint = parseEndpoint(header ?? '', 80);
  if (typeof endpoint === 'string') return endpoint === 'link-local';
  const name = endpoint.host.toLowerCase().replace(/\.$/, '');
  const isAddress = name.includes(':') || /^\d{1,3}(\.\d{1,3}){3}$/.test(name);
  return isAddress || name === 'localhost' || allowed.includes(name);
}

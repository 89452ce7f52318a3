import { z } from 'zod';

/** Where an IP address leads: to this machine or to nothing, into a private network, or into the internet. */
export type AddressKind = 'nowhere' | 'private' | 'public';

/** By IANA's registries of special-purpose addresses (RFC 6890), as far as resolvers answer with them. */
export function addressKind(address: string): AddressKind {
  const ipv4 = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (/^(0\.|127\.)/.test(ipv4) || /^::1?$/.test(address)) return 'nowhere';
  // Private use (RFC 1918), link-local, shared by a carrier (RFC 6598), unique local and link-local IPv6.
  const ownNetwork =
    /^(10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/.test(
      ipv4,
    ) || /^(f[cd]..|fe[89ab].):/i.test(address);
  return ownNetwork ? 'private' : 'public';
}

/** Whether a text is an IPv4 address, or an IPv6 one without brackets. */
export const isAddress = (text: string): boolean =>
  z.ipv4().safeParse(text).success || z.ipv6().safeParse(text).success;

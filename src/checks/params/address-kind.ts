import ipaddr from 'ipaddr.js';

/** Where an IP address leads: to this machine or to nothing, into a private network, or into the internet. */
export type AddressKind = 'nowhere' | 'private' | 'public';

const kinds: Readonly<Record<string, AddressKind>> = {
  unspecified: 'nowhere',
  loopback: 'nowhere',
  private: 'private',
  linkLocal: 'private',
  carrierGradeNat: 'private',
  uniqueLocal: 'private',
};

/** By IANA's registries of special-purpose addresses (RFC 6890). An IPv4-mapped IPv6 address counts as its IPv4 one. */
export const addressKind = (address: string): AddressKind =>
  kinds[ipaddr.process(address).range()] ?? 'public';

/** Whether a text is an IPv4 address in four decimal parts, or an IPv6 one without brackets. */
export const isAddress = (text: string): boolean =>
  ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);

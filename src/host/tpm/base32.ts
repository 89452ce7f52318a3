/** RFC 4648, section 6, in lower case. */
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** Bytes in lower-case base32 without padding. */
export function toBase32(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const groups = bits.match(/.{1,5}/g) ?? [];
  return groups.map((group) => alphabet[Number.parseInt(group.padEnd(5, '0'), 2)]).join('');
}

import { isIP } from 'node:net';

/** The address that a text writes, IPv4 also in the forms of inet_aton(3) such as `10.1`; undefined for a name. */
export function literalAddress(text: string): string | undefined {
  if (isIP(text) !== 0) return text;
  const url = `http://${text}`;
  // The URL standard reads numbers in the same way.
  return /^(0x[0-9a-f]*|\d+)(\.(0x[0-9a-f]*|\d+)){0,3}$/i.test(text) && URL.canParse(url)
    ? new URL(url).hostname
    : undefined;
}

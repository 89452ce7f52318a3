import { isIP } from 'node:net';

/** Lists of blocked names have up to a few hundred thousand lines. */
export const maxHostsBytes = 16 * 1_048_576;

/**
 * The addresses of a name in the text of a hosts(5) file, IPv4 first. All lines with the name count, as with glibc and
 * `multi on` in /etc/host.conf, which Debian and Azure Linux set. A trailing dot belongs to the name, so `name.` is not listed.
 */
export function listedAddresses(text: string, name: string): string[] {
  const wanted = name.toLowerCase();
  const addresses = text.split('\n').flatMap((line) => {
    if (!line.toLowerCase().includes(wanted)) return [];
    const [address = '', ...names] = line.replace(/#.*/s, '').trim().split(/\s+/);
    // Without a zone: glibc ignores lines with one.
    const isListed = !address.includes('%') && isIP(address) !== 0;
    return isListed && names.some((each) => each.toLowerCase() === wanted) ? [address] : [];
  });
  return [...new Set(addresses)].sort((a, b) => isIP(a) - isIP(b));
}

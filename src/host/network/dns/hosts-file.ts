import { isIP } from 'node:net';
import { readSystemFile } from './system-file.ts';

/** Lists of blocked names have up to a few hundred thousand lines. */
const maxBytes = 16 * 1_048_576;

/**
 * The addresses of a name in a hosts(5) file, IPv4 first. All lines with the name count, as with glibc and `multi on` in
 * /etc/host.conf, which Debian and Azure Linux set. A trailing dot belongs to the name, so `name.` is not listed.
 */
export async function hostsEntries(path: string, name: string, signal: AbortSignal): Promise<string[]> {
  return listedAddresses(await readSystemFile(path, maxBytes, signal), name);
}

/** The addresses of a name in the text of a hosts file. */
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

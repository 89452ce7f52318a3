/** Lists of algorithms that are judged. */
export type AlgorithmList = 'ciphers' | 'macs' | 'kexalgorithms' | 'hostkeyalgorithms';

const weak: Readonly<Record<AlgorithmList, RegExp>> = {
  ciphers: /^(3des|arcfour|blowfish|cast128)|-cbc/,
  macs: /^(hmac-(md5|sha1)|umac-64)/,
  // SHA-1, and the 1024-bit group 1.
  kexalgorithms: /-sha1(-|$)|-group1-/,
  hostkeyalgorithms: /^ssh-(rsa|dss)(-|$)/,
};

export const isWeak = (list: AlgorithmList, name: string): boolean => weak[list].test(name);

const macs =
  'umac-64-etm umac-128-etm hmac-sha2-256-etm hmac-sha2-512-etm hmac-sha1-etm umac-64 umac-128 hmac-sha2-256 hmac-sha2-512 hmac-sha1'
    .split(' ')
    .map((name) => (/^umac|-etm$/.test(name) ? `${name}@openssh.com` : name));

/**
 * The defaults of OpenSSH (servconf.c, myproposal.h: 8.4 to 10.3) in a list where some are weak; of the host keys' signatures, not
 * all strong ones. Empty where none is weak, and without a version: then only what is configured is judged.
 */
export function defaultsOf(list: AlgorithmList, version: string | undefined): readonly string[] {
  if (version === undefined) return [];
  if (list === 'macs') return macs;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const hasRsaSha1 = major < 8 || (major === 8 && minor < 8);
  return list === 'hostkeyalgorithms' && hasRsaSha1
    ? ['ssh-ed25519', 'rsa-sha2-512', 'ssh-rsa', 'ssh-rsa-cert-v01@openssh.com']
    : [];
}

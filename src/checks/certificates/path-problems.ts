import type { Certificate } from '../../host/certificates/types.ts';
import { constraintProblems } from './name-constraints.ts';
import { failure, nameOf, type Problem } from './problem.ts';

/** What a certificate may be used for in TLS. */
export type Use = 'server' | 'client';

/** From a certificate to the last issuer that is present. */
export function pathFrom(all: readonly Certificate[], start: number): readonly Certificate[] {
  const path: Certificate[] = [];
  let at: number | undefined = start;
  while (at !== undefined && path.length < all.length) {
    const certificate: Certificate | undefined = all[at];
    if (!certificate) break;
    path.push(certificate);
    at = certificate.signer === at ? undefined : certificate.signer;
  }
  return path;
}

/**
 * What keeps a TLS client from accepting a path of certificates, each followed by its issuer.
 *
 * @param uses one of them must be possible, if there are any.
 */
export const pathProblems = (path: readonly Certificate[], uses: readonly Use[]): readonly Problem[] => [
  ...path.slice(1).flatMap((issuer, i) => issuerProblems(issuer, path[i])),
  ...lengthProblems(path),
  ...useProblems(path, uses),
  ...path.flatMap(extensionProblems),
  ...constraintProblems(path),
];

/** Whether a certificate is meant to issue others. */
export const isAuthority = ({ isCa, isLegacyCa, selfSigned }: Certificate): boolean =>
  isCa || (isLegacyCa === true && selfSigned);

/** @param issued a certificate that it issued; without one, whether it is of any use is all there is to check. */
export function issuerProblems(issuer: Certificate, issued?: Certificate): readonly Problem[] {
  const { keyUsage } = issuer;
  if (issued && !isAuthority(issuer)) {
    const clause = `${nameOf(issuer)} has issued ${nameOf(issued)} but is not a CA: its basic constraints do not say CA`;
    return [failure('not_a_ca', clause)];
  }
  if (!keyUsage || keyUsage.includes('keyCertSign') || !issuer.isCa) return [];
  // A server may use a CA's certificate as its own.
  if (!issued && keyUsages.server.some((usage) => keyUsage.includes(usage))) return [];
  const clause = `${nameOf(issuer)} is a CA whose key usage (${keyUsage.join(', ')}) does not allow keyCertSign`;
  return [failure('key_usage', clause)];
}

/**
 * RFC 5280, section 4.2.1.9: a CA has at most as many CAs below it as its path length says, not counting the first certificate
 * of the path and those that issued themselves.
 *
 * @param countsFirst a CA at the end of a file's path is there to issue, as IoT Edge's own CA is, so it counts as well.
 */
export function lengthProblems(path: readonly Certificate[], countsFirst = false): readonly Problem[] {
  return path.flatMap((authority, i) => {
    const below = path.slice(countsFirst ? 0 : 1, i);
    const count = below.filter(({ isCa, subject, issuer }) => isCa && subject !== issuer).length;
    const { pathLength } = authority;
    if (pathLength === undefined || count <= pathLength) return [];
    const clause = `${nameOf(authority)} allows ${pathLength} CAs below it, but there are ${count}`;
    return [failure('path_too_long', clause)];
  });
}

/** The uses that a certificate leaves open for the first one of its path: none where it is not for TLS at all. */
export const intendedUses = ({ extendedKeyUsage }: Certificate): readonly Use[] =>
  (['server', 'client'] as const).filter((use) => allows(extendedKeyUsage, extendedUsages[use]));

// RFC 5280, section 4.2.1.12. OpenSSL also takes the two "server gated cryptography" usages for serverAuth, but does not
// take anyExtendedKeyUsage for any of them.
const extendedUsages: Readonly<Record<Use, readonly string[]>> = {
  server: ['1.3.6.1.5.5.7.3.1', '1.3.6.1.4.1.311.10.3.3', '2.16.840.1.113730.4.1'],
  client: ['1.3.6.1.5.5.7.3.2'],
};

// RFC 5280, section 4.2.1.3: what the cipher suites of TLS need.
const keyUsages: Readonly<Record<Use, readonly string[]>> = {
  server: ['digitalSignature', 'keyEncipherment', 'keyAgreement'],
  client: ['digitalSignature', 'keyAgreement'],
};

const allows = (usages: readonly string[] | undefined, any: readonly string[]): boolean =>
  !usages || usages.some((usage) => any.includes(usage));

function useProblems(path: readonly Certificate[], uses: readonly Use[]): readonly Problem[] {
  const obstacles = uses.map((use) => obstacleTo(use, path));
  const [first] = obstacles;
  return first !== undefined && obstacles.every(Boolean) ? [failure('key_usage', first)] : [];
}

function obstacleTo(use: Use, [leaf, ...issuers]: readonly Certificate[]): string | undefined {
  if (!leaf) return undefined;
  const { extendedKeyUsage, keyUsage } = leaf;
  if (!allows(extendedKeyUsage, extendedUsages[use])) {
    return `${nameOf(leaf)} cannot be used by a ${use}: its extended key usage lacks ${use}Auth`;
  }
  if (!allows(keyUsage, keyUsages[use])) {
    return `${nameOf(leaf)} cannot be used by a ${use}: its key usage (${keyUsage?.join(', ')}) has none of ${keyUsages[use].join(', ')}`;
  }
  const narrow = issuers.find((issuer) => !allows(issuer.extendedKeyUsage, extendedUsages[use]));
  return (
    narrow &&
    `${nameOf(narrow)} allows no ${use} certificates below it: its extended key usage lacks ${use}Auth`
  );
}

function extensionProblems(certificate: Certificate): readonly Problem[] {
  const { unsupportedCritical: oids } = certificate;
  if (!oids) return [];
  const which = oids.slice(0, 3).join(', ');
  const clause = `${nameOf(certificate)} has a critical extension that TLS libraries do not support (${which}), so they reject it`;
  return [failure('critical_extension', clause)];
}

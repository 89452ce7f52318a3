import type { X509Certificate } from 'node:crypto';
import type { IsSignedBy } from './signature-checks.ts';

/** The longest path that is followed to an authority. Real ones have two to five certificates. */
export const maxPathLength = 20;

/**
 * The trusted CA that the signatures of a path lead to, if any, regardless of validity periods: the root, or where the device
 * trusts only an intermediate, that one.
 *
 * @param path each certificate followed by its issuer, as far as they are known.
 */
export async function findAuthority(
  path: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
  isSignedBy: IsSignedBy,
): Promise<X509Certificate | undefined> {
  let below: X509Certificate | undefined;
  for (const certificate of path.slice(0, maxPathLength)) {
    if (below && !(await isSignedBy(below, certificate))) return undefined;
    const { fingerprint256 } = certificate;
    const trusted =
      authorities.find((each) => each.fingerprint256 === fingerprint256) ??
      (await issuerOf(certificate, authorities, isSignedBy));
    if (trusted) return topAbove(trusted, authorities, isSignedBy);
    below = certificate;
  }
  return undefined;
}

async function topAbove(
  authority: X509Certificate,
  authorities: readonly X509Certificate[],
  isSignedBy: IsSignedBy,
): Promise<X509Certificate> {
  let top = authority;
  for (let depth = 0; depth < maxPathLength && !top.checkIssued(top); depth += 1) {
    const issuer = await issuerOf(top, authorities, isSignedBy);
    if (!issuer) break;
    top = issuer;
  }
  return top;
}

async function issuerOf(
  certificate: X509Certificate,
  authorities: readonly X509Certificate[],
  isSignedBy: IsSignedBy,
): Promise<X509Certificate | undefined> {
  for (const authority of authorities) {
    if (certificate.checkIssued(authority) && (await isSignedBy(certificate, authority))) return authority;
  }
  return undefined;
}

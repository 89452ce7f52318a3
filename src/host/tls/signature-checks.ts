import type { X509Certificate } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';

/**
 * Whether a certificate's signature was made with an issuer's key, regardless of names and of the issuer's rights.
 * Undefined once the limit is reached.
 */
export type IsSignedBy = (
  certificate: X509Certificate,
  issuer: X509Certificate,
) => Promise<boolean | undefined>;

/** A check takes up to 2 ms (P-521). A real chain needs fewer than ten. */
export const maxSignatureChecks = 50;

/** Checks at most {@link maxSignatureChecks} signatures; other work runs between two of them. */
export function createSignatureChecks(): IsSignedBy {
  let left = maxSignatureChecks;
  return async (certificate, issuer) => {
    if (left === 0) return undefined;
    left -= 1;
    await setImmediate();
    try {
      return certificate.verify(issuer.publicKey);
    } catch {
      // A kind of key that this OpenSSL does not know, or another kind than that of the signature.
      return false;
    }
  };
}

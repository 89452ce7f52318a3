/** OpenSSL's results by their names in Node.js (node/src/crypto/crypto_common.cc), as clauses about the certificate. */
const clauses: Readonly<Record<string, string>> = {
  CERT_CHAIN_TOO_LONG: 'its chain is too long',
  CERT_HAS_EXPIRED: 'a certificate of its chain has expired',
  CERT_NOT_YET_VALID: 'a certificate of its chain is not valid yet',
  CERT_REJECTED: 'its root is marked as rejected',
  CERT_REVOKED: 'a certificate of its chain was revoked',
  CERT_SIGNATURE_FAILURE: 'a signature in its chain is wrong',
  CERT_UNTRUSTED: 'its root is not trusted for servers',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is self-signed and not trusted',
  INVALID_CA: 'one of its issuers may not issue certificates',
  INVALID_PURPOSE: 'a certificate of its chain may not be used for a TLS server',
  PATH_LENGTH_EXCEEDED: 'its chain has more CAs than one of them allows',
  SELF_SIGNED_CERT_IN_CHAIN: 'its root is not trusted',
  UNABLE_TO_GET_ISSUER_CERT: 'this device trusts an intermediate CA, but not the root above it',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its issuer is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its issuer is not trusted',
  // Node.js has no names for many results.
  UNSPECIFIED:
    'its chain breaks name constraints, has a critical extension that is not supported, or keys or signatures that are too weak',
};

/** A result of OpenSSL's verification in words. */
export const describeVerifyCode = (code: string): string =>
  clauses[code] ?? code.toLowerCase().replaceAll('_', ' ');

/** Whether a result is about the validity period alone. */
export const isDateCode = (code: string | undefined): boolean =>
  code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID';

import type { Answer } from '../../answer.ts';
import type { Endpoint } from '../../endpoint.ts';

/** What a check may ask about certificates. */
export interface CertificateHost {
  /** Every certificate in a PEM or DER file, in file order; at least one. */
  certificates(path: string, signal: AbortSignal): Answer<readonly Certificate[]>;
  /** The chain a TLS server presents, read even when it does not verify. */
  presentedChain(endpoint: Endpoint, signal: AbortSignal): Answer<PresentedChain, 'unreachable'>;
}

/** One X.509 certificate, as checks judge it. */
export interface Certificate extends CertificateDetails {
  /** The subject's distinguished name on one line, `CN=…, O=…`. */
  readonly subject: string;
  readonly issuer: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SHA-256 over the DER, 64 lower-case hexadecimal digits. */
  readonly fingerprint256: string;
  /** The public key: `rsa`, `ec`, `ed25519`, …, and its size where the kind has sizes. */
  readonly keyType: string;
  readonly keyBits?: number;
  /** As people read them: `DNS:edge.local`, `IP Address:10.0.0.1`. */
  readonly subjectAltNames: readonly string[];
  /** Its own key made its signature. */
  readonly selfSigned: boolean;
  /**
   * Where in the same file or handshake the certificate stands whose key made this signature: its own place when it is
   * self-signed, the next one rather than any other. Absent when none of them did.
   */
  readonly signer?: number;
}

/** What X.509 says of a certificate's use, and how it was signed. What it does not say is absent. */
export interface CertificateDetails {
  /** Basic constraints say that it may issue others. */
  readonly isCa: boolean;
  /** How many authorities may stand between this one and the last certificate of a chain. */
  readonly pathLength?: number;
  /** By the names of RFC 5280, section 4.2.1.3. */
  readonly keyUsage?: readonly string[];
  /** Object identifiers. */
  readonly extendedKeyUsage?: readonly string[];
  /** `SHA-256`; absent for algorithms without a hash of their own. */
  readonly signatureHash?: string;
}

/** What a TLS server presents, and apart from that what it is worth here. */
export interface PresentedChain {
  /** In the order they were sent, so the first is the server's own; at least one. */
  readonly certificates: readonly Certificate[];
  /** Whether the leaf is for the host that was asked (RFC 9525). */
  readonly namesHost: boolean;
  /** The authority this device trusts that signatures lead to; dates are left out of account. */
  readonly authority?: Certificate;
  /** Why authorities may be missing among those this device trusts. */
  readonly trustProblem?: string;
}

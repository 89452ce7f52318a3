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
  /** In readable form: `DNS:edge.local`, `IP Address:10.0.0.1`. */
  readonly subjectAltNames: readonly string[];
  /** The names that name constraints of its issuers apply to. */
  readonly constrainedNames?: readonly GeneralName[];
  /** Signed with its own key. */
  readonly selfSigned: boolean;
  /**
   * The position in the same file or handshake of the certificate whose key made this signature: its own when it is
   * self-signed, the next one in preference to others. Absent when none of them did.
   */
  readonly signer?: number;
  /**
   * A certificate before the signer, or this one itself, has the issuer's name and identifiers but not its key: TLS libraries
   * that go by names try the wrong one.
   */
  readonly hasWrongNamesake?: true;
  /** The signer was not searched for, because the file or handshake needs more signature checks than are made. */
  readonly signerUnknown?: true;
}

/** A name by its kind (RFC 5280, section 4.2.1.6). */
export interface GeneralName {
  readonly kind: 'dns' | 'email' | 'uri' | 'ip' | 'directory' | 'other';
  /**
   * `dns`, `email`, `uri`: as in the certificate; `ip`: hexadecimal, in a constraint followed by the mask; `directory`: canonical,
   * an RDN a line; `other`: its type.
   */
  readonly value: string;
}

/** The names that a CA's certificate allows below it. */
export interface NameConstraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
}

/** What X.509 says of a certificate's use and signature. What it does not say is absent. */
export interface CertificateDetails {
  /** Basic constraints allow it to issue others. */
  readonly isCa: boolean;
  /**
   * Without basic constraints, but of version 1 or with the key usage `keyCertSign`: TLS libraries accept it as an issuer only
   * where it is the trusted root.
   */
  readonly isLegacyCa?: true;
  /** How many CAs may come between this one and the last certificate of a chain. */
  readonly pathLength?: number;
  /** By the names of RFC 5280, section 4.2.1.3. */
  readonly keyUsage?: readonly string[];
  /** Object identifiers. */
  readonly extendedKeyUsage?: readonly string[];
  /** Object identifiers of critical extensions for which TLS libraries reject a certificate. */
  readonly unsupportedCritical?: readonly string[];
  readonly nameConstraints?: NameConstraints;
  /** `SHA-256`; absent for algorithms without a hash of their own. */
  readonly signatureHash?: string;
}

/** What a TLS server presents, and how this device judges it. */
export interface PresentedChain {
  /** In the order they were sent, so the first is the server's own; at least one. */
  readonly certificates: readonly Certificate[];
  /** Whether the leaf covers the requested host (RFC 9525). */
  readonly namesHost: boolean;
  /** The trusted CA that the signatures lead to, regardless of dates. */
  readonly authority?: Certificate;
  /** Why `authority` may be missing although there is one. */
  readonly trustProblem?: string;
  /** The verdict of this device's TLS library; absent where the handshake failed before it was available. */
  readonly verification?: Verification;
}

/** OpenSSL's result, by its name in Node.js and as a clause about "the certificate". Of several faults it is the last. */
export type Verification =
  | { readonly accepted: true }
  | { readonly accepted: false; readonly code: string; readonly clause: string };

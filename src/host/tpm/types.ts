import type { Answer } from '../../answer.ts';
import type { Endpoint } from '../../endpoint.ts';

/** What a check may ask the TPM. */
export interface TpmHost {
  /**
   * What the TPM of this machine says of itself, or the one that speaks the simulator protocol at `address`. `not_applicable`
   * where there is none, `no_access` where it is not passed to this module. It is only read.
   */
  tpm(address: Endpoint | undefined, signal: AbortSignal): Answer<Tpm, 'no_answer'>;
}

/** A TPM 2.0. */
export interface Tpm {
  /** The device or the address that has answered. */
  readonly at: string;
  /** The maker's four letters, such as `IFX` (TCG TPM Vendor ID Registry). */
  readonly manufacturer: string;
  readonly vendor: string;
  /** Four numbers, such as `7.85.4555.0`. */
  readonly firmware: string;
  readonly lockout: Lockout;
  /** From 0x81000000 to 0x81ffffff. */
  readonly persistentHandles: readonly number[];
  /** Absent where nothing is at the handle of the endorsement key, 0x81010001. */
  readonly endorsementKey?: EndorsementKey;
}

/** The protection against guessing of authorization values (TPM 2.0 Library, part 1, section 19.8). */
export interface Lockout {
  readonly lockedOut: boolean;
  /** Failed authorizations that still count. */
  readonly failures: number;
  /** Failures until the TPM locks out. */
  readonly maxFailures: number;
  /** After this time one failure less counts. 0 does not count down. */
  readonly intervalSeconds: number;
  /** After a failure of the lockout authorization it may be used again then. 0 means after a restart. */
  readonly recoverySeconds: number;
}

/** The SHA-256 of the public area (TPM2B_PUBLIC), from which registration ids are made, in two notations. */
export interface EndorsementKey {
  /** 64 lower-case digits, as `tpm2_readpublic` and `sha256sum` give it. */
  readonly hex: string;
  /** 52 lower-case letters and digits without padding (RFC 4648), as Microsoft's library gives it. */
  readonly base32: string;
}

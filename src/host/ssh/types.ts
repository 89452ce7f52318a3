import type { Answer } from '../../answer.ts';

/** What a check may ask about the SSH server. */
export interface SshHost {
  /**
   * sshd's configuration as it is written. `unreadable` for one that sshd itself refuses, with the line's number but not the
   * line.
   */
  sshd(signal: AbortSignal): Answer<SshConfiguration>;
}

/** The directives of sshd_config and of everything it includes, in the order in which sshd reads them. */
export interface SshConfiguration {
  readonly directives: readonly Directive[];
  /** The version of OpenSSH by the VM's package database, such as `9.2`. */
  readonly version: string | undefined;
  /** The public halves of the host keys. */
  readonly hostKeys: readonly HostKey[];
}

/** One line. For each keyword the first value counts. */
export interface Directive {
  /** In lower case. */
  readonly keyword: string;
  readonly values: readonly string[];
  /** The `Match` block it is in; undefined for what holds for everybody. */
  readonly block?: MatchBlock | undefined;
}

/** A condition under which some lines count. */
export interface MatchBlock {
  /** Of its first line: the file and the line's number. */
  readonly file: string;
  readonly line: number;
}

/** A host key, by its public half. */
export interface HostKey {
  readonly path: string;
  /** Such as `ssh-rsa`. */
  readonly type: string;
  /** Of an RSA or DSA key. */
  readonly bits?: number | undefined;
}

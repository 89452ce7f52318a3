import type { Answer } from './answer.ts';
import type { AgentHost } from './host/agent/types.ts';
import type { CertificateHost } from './host/certificates/types.ts';
import type { ClockHost } from './host/clock/types.ts';
import type { DiskHost } from './host/disk/types.ts';
import type { EdgeHost } from './host/edge/types.ts';
import type { EngineHost } from './host/engine/types.ts';
import type { FileHost } from './host/files/types.ts';
import type { IdentityHost } from './host/identity/types.ts';
import type { NetworkHost } from './host/network/types.ts';
import type { SshHost } from './host/ssh/types.ts';
import type { SystemHost } from './host/system/types.ts';
import type { TpmHost } from './host/tpm/types.ts';

/**
 * Everything a check may touch; nothing else reaches the machine. Paths are the VM's. A method that waits rejects with
 * its signal's reason once that fires, and with a `CannotTell` where it has no answer.
 */
export interface Host
  extends AgentHost,
    CertificateHost,
    ClockHost,
    DiskHost,
    EdgeHost,
    EngineHost,
    FileHost,
    IdentityHost,
    NetworkHost,
    SshHost,
    SystemHost,
    TpmHost {
  now(): Date;
  /** Whether this machine grants what a check needs. What the network lets through, only the check itself finds out. */
  grants(need: Exclude<Need, { kind: 'network' }>, signal: AbortSignal): Answer<boolean>;
  /** This device's own names, as far as they are known. */
  readonly names: Names;
  /** What checks remember from run to run, over restarts too. */
  readonly memory: Memory;
}

/** The reasons that some of the host's methods add to the common ones. */
export type ReasonsOf<Method extends keyof Host> = {
  [M in Method]: Host[M] extends (...given: never[]) => { readonly reasons?: infer Reason }
    ? Exclude<Reason, undefined> & string
    : never;
}[Method];

/** Something a check must be given to do its work. `eflow-hardening list` says whether this machine gives it. */
export type Need =
  | { readonly kind: 'path' | 'device'; readonly path: string }
  | { readonly kind: 'socket'; readonly socket: 'engine' | 'workload' }
  | { readonly kind: 'http'; readonly url: string }
  | { readonly kind: 'network'; readonly what: string };

/** The values of `{iothub}`, `{gateway}` and `{device}` in a policy. */
export interface Names {
  readonly iothub?: string;
  readonly gateway?: string;
  readonly device?: string;
}

/** One value of a series. */
export interface Sample {
  /** Seconds since 1970. */
  readonly at: number;
  readonly value: number;
}

/** Kept in the state folder; what is remembered longest without use is forgotten first. */
export interface Memory {
  /**
   * Adds the current value to a series and returns the series: oldest first, the value just added last; dense for some
   * hours back, one an hour before that. While the clock is in doubt, only that value.
   */
  record(series: string, value: number): readonly Sample[];
  /** The value last kept under a name. */
  recall(name: string): unknown;
  /**
   * Keeps a JSON value under a name.
   *
   * @throws RangeError for more than 32 KiB of JSON.
   */
  keep(name: string, value: unknown): void;
}

/**
 * All a check may touch; nothing else reaches the machine. Paths are the VM's. Every method that waits rejects
 * once its signal fires, and throws a `CannotTell` when it has no answer.
 */
export interface Host {
  now(): Date;
  /** This device's own names, as far as they are known. */
  readonly names: Names;

  /** Whether something is at a path that belongs to the VM and may be read. */
  gives(path: string, signal: AbortSignal): Promise<boolean>;

  /** One SNTP exchange with `host[:port]`. */
  sntp(server: string, signal: AbortSignal): Promise<TimeSample>;
  /**
   * What chronyd at `host[:port]` itself says of the clock (its tracking report). `not_found` when nothing
   * listens there, which is usual in a container of its own network.
   */
  chrony(address: string, signal: AbortSignal): Promise<TimeSample>;
  /** The `Date` header of an https URL. */
  httpDate(url: string, signal: AbortSignal): Promise<TimeSample>;
  /** What happened to this machine's clocks in the last hour, as far as the agent has watched them; oldest first. */
  clockEvents(): readonly ClockEvent[];
  /**
   * Whether Hyper-V offers this machine its clock, and chrony's configuration, where it may be read, does not use it.
   */
  hypervUnused(signal: AbortSignal): Promise<boolean>;

  /** Paths that match a glob, sorted; empty when the folder is there and nothing in it matches. */
  findFiles(pattern: string, signal: AbortSignal): Promise<readonly string[]>;
  /** Every certificate in a PEM or DER file, in file order; at least one. */
  certificates(path: string, signal: AbortSignal): Promise<readonly Certificate[]>;
  /** The chain a TLS server presents, read even when it does not verify. */
  presentedChain(endpoint: Endpoint, signal: AbortSignal): Promise<PresentedChain>;

  /** The filesystem that holds a path. `mount_stuck` when it does not answer. */
  filesystem(path: string, signal: AbortSignal): Promise<Filesystem>;
  /**
   * Keeps a value of now in a series, over restarts too, and gives what the series still has: oldest first, with the
   * value just given last; dense for some hours back, one an hour before. Where the clock is in doubt, only that value.
   */
  remember(series: string, value: number): readonly Sample[];
  /** What the container engine keeps on its disk; nothing when no engine answers. */
  engineUsage(signal: AbortSignal): Promise<EngineUsage | undefined>;

  /** Why the agent cannot remember; nothing while it can. */
  memoryProblem(): MemoryProblem | undefined;

  /** One attempt to reach a target. A target that cannot be reached is an answer, not an error. */
  probe(target: ProbeTarget, signal: AbortSignal): Promise<Probe>;
  /**
   * One look-up of a name's addresses, by the system (its hosts file, then its servers) or by one server `IP[:port]`.
   * `not_found`, `refused`, `server_failed` or `timed_out` when it gives none.
   */
  lookUp(name: string, server: string | undefined, signal: AbortSignal): Promise<LookUp>;

  /** The modules on this device. `not_applicable` where the agent is none itself. */
  modules(signal: AbortSignal): Promise<readonly EdgeModule[]>;
}

/** Why the agent cannot remember, or has forgotten. */
export interface MemoryProblem {
  /** `absent`: there is no folder that could be written to, so none was given. */
  readonly kind: 'absent' | 'damaged' | 'newer' | 'unwritable';
  readonly message: string;
}

/** Something a check must be given to do its work; `list` tells whether this machine gives it. */
export type Need =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'network'; readonly what: string };

/** The values of `{iothub}`, `{gateway}` and `{device}` in a policy. */
export interface Names {
  readonly iothub?: string;
  readonly gateway?: string;
  readonly device?: string;
}

/** `stepped`: the wall clock was set. `suspended`: the machine slept. */
export interface ClockEvent {
  readonly kind: 'stepped' | 'suspended';
  /** By how much it was set, positive ahead; how long it slept. */
  readonly seconds: number;
  /** By a clock that no step moves. */
  readonly secondsAgo: number;
}

/** What one time source says of the local clock. */
export interface TimeSample {
  /** Local clock minus the source's clock: positive when the local clock is ahead. */
  readonly offsetSeconds: number;
  /** The true offset lies within this distance of `offsetSeconds`, if the source is right. */
  readonly errorSeconds: number;
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

/** A host and a TCP port. An IPv6 address stands without brackets. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** One value of a series. */
export interface Sample {
  /** Seconds since 1970. */
  readonly at: number;
  readonly value: number;
}

/** What the container engine keeps, in bytes. */
export interface EngineUsage {
  /** Where, by the VM's path. */
  readonly folder: string;
  readonly images: EngineSpace;
  /** What containers have written to their own layers; it can be had back from those that are stopped. */
  readonly containers: EngineSpace;
  readonly volumes: EngineSpace;
  readonly buildCache: EngineSpace;
}

/** What one kind of thing takes of the engine's disk. */
export interface EngineSpace {
  readonly bytes: number;
  /** How much of it nothing uses. */
  readonly unusedBytes: number;
}

/** Sizes as `df` has them. */
export interface Filesystem {
  /** The path that was measured: the one asked for, or another on the same filesystem. */
  readonly measured: string;
  /** As the kernel calls it: `ext4`, `xfs`, `overlay`. Absent where it is not known, as the next two. */
  readonly type?: string;
  /** What is mounted: mostly a device. */
  readonly source?: string;
  /** The kernel's number for the filesystem, the same wherever and however often it is mounted. */
  readonly device?: string;
  readonly sizeBytes: number;
  readonly usedBytes: number;
  /** Free for those who are not root. */
  readonly availableBytes: number;
  /** Inodes in all; 0 where the filesystem does not count them. */
  readonly files: number;
  readonly filesFree: number;
  /** The filesystem itself is read-only, not just this view of it. */
  readonly readOnly: boolean;
}

/** A probe target taken apart. IPv6 addresses stand without brackets. */
export interface ProbeTarget extends Endpoint {
  readonly scheme: 'tcp' | 'tls' | 'https';
  /** For https: the path with its query, when the target names one. */
  readonly path?: string;
}

/** How far an attempt came. Phases that were not reached are absent. */
export interface Probe {
  /** Absent when the target was reached. */
  readonly failure?: { readonly reason: ProbeFailure; readonly detail: string };
  readonly seconds: Readonly<Partial<Record<ProbePhase, number>>>;
  /** The proxy it went through, as `host:port`. */
  readonly proxy?: string;
  /**
   * What is wrong with the other address family (IPv4 or IPv6) of a target that was reached over one. Absent when both
   * work, the name has addresses of only one, or this device has no route for it at all.
   */
  readonly brokenFamily?: string;
}

/** The parts of an attempt, in their order. `first_byte`: from the request to the head of its answer. */
export const probePhases = ['resolve', 'connect', 'tls', 'first_byte'] as const;
export type ProbePhase = (typeof probePhases)[number];

/** What can keep a probe from its target; outboundReachability gives them as its reasons. */
export const probeFailures = [
  'dns_failed',
  'refused',
  'timed_out',
  'tls_failed',
  'intercepted',
  'http_status',
  'wrong_content',
  'proxy_failed',
] as const;
export type ProbeFailure = (typeof probeFailures)[number];

/** The addresses of a name. */
export interface LookUp {
  /** IPv4 first; at least one. */
  readonly addresses: readonly string[];
  readonly seconds: number;
}

/** A module as the IoT Edge runtime lists it. */
export interface EdgeModule {
  readonly name: string;
  /** The reference it was deployed with, `registry/repository:tag`. */
  readonly image: string;
}

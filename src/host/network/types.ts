import type { Answer } from '../../answer.ts';
import type { Endpoint } from '../../endpoint.ts';

/** What a check may ask about the network. */
export interface NetworkHost {
  /** One attempt to reach a target. A target that cannot be reached is an answer, not an error. */
  probe(target: ProbeTarget, signal: AbortSignal): Answer<Probe>;
  /**
   * One lookup of all addresses of a name, as this device resolves it or by one server `IP[:port]`. `not_found`, `refused`, `server_failed` or `timed_out` where there are none.
   */
  lookUp(
    name: string,
    server: string | undefined,
    signal: AbortSignal,
  ): Answer<LookUp, 'refused' | 'server_failed'>;
  /** The sockets that receive from the network, of the whole machine. */
  listeners(signal: AbortSignal): Answer<Listeners>;
}

/** What receives from the network. */
export interface Listeners {
  /** Where HTTP of the agent itself listens. */
  readonly ownPort: number;
  readonly listeners: readonly Listener[];
}

/** A TCP socket that listens, or a UDP socket that is bound and not connected. */
export interface Listener {
  readonly protocol: 'tcp' | 'udp';
  /** The address it is bound to, IPv6 without brackets; `::` usually receives over IPv4 as well. */
  readonly address: string;
  readonly port: number;
  /** The numeric id of its owner in the machine. */
  readonly uid: number;
}

/** A parsed probe target. IPv6 addresses have no brackets. */
export interface ProbeTarget extends Endpoint {
  readonly scheme: 'tcp' | 'tls' | 'https';
  /** For https: the path with its query, when the target names one. */
  readonly path?: string;
}

/** How far an attempt got. Phases that were not reached are absent. */
export interface Probe {
  /** Absent when the target was reached. */
  readonly failure?: {
    readonly reason: ProbeFailure;
    readonly detail: string;
    /** For `refused`: the system's error code, such as `ENETUNREACH`. */
    readonly code?: string;
  };
  readonly seconds: Readonly<Partial<Record<ProbePhase, number>>>;
  /** For https: the status and the content type of the answer. */
  readonly answer?: { readonly status: number; readonly contentType: string | undefined };
  /** The proxy it went through, as `host:port`. */
  readonly proxy?: string;
  /**
   * What is wrong with the other address family (IPv4 or IPv6) of a target that was reached over one. Absent when both
   * work, the name has addresses of only one, or this device has no route for it at all.
   */
  readonly brokenFamily?: string;
}

/** The phases of an attempt, in order. `first_byte`: from the request to the head of its answer. */
export const probePhases = ['resolve', 'connect', 'tls', 'first_byte'] as const;
export type ProbePhase = (typeof probePhases)[number];

/** What can keep a probe from its target; reasons of outboundReachability. */
export const probeFailures = [
  'dns_failed',
  'refused',
  'timed_out',
  'tls_failed',
  'intercepted',
  'http_status',
  'proxy_failed',
] as const;
export type ProbeFailure = (typeof probeFailures)[number];

/** The addresses of a name. */
export interface LookUp {
  /** IPv4 first; at least one. */
  readonly addresses: readonly string[];
  /** Until a client could connect, which does not wait for a slow second address family. */
  readonly seconds: number;
}

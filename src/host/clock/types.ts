import type { Answer } from '../../answer.ts';

/** What a check may ask about the clock. The methods that wait have common reasons alone. */
export interface ClockHost {
  /** One SNTP exchange with `host[:port]`. */
  sntp(server: string, signal: AbortSignal): Answer<TimeSample>;
  /**
   * What chronyd at `host[:port]` says of the clock (its tracking report). `not_found` when nothing listens there, which
   * is usual in a container with its own network.
   */
  chrony(address: string, signal: AbortSignal): Answer<TimeSample>;
  /** The `Date` header of an https URL. */
  httpDate(url: string, signal: AbortSignal): Answer<TimeSample>;
  /** Watches this machine's clocks until the signal fires. `onEvent` is called for each event as it is noticed. */
  watchClock(onEvent: (event: ClockEvent) => void, signal: AbortSignal): void;
  /** What happened to the clocks in the last hour, as far as they were watched; oldest first. */
  clockEvents(): readonly ClockEvent[];
  /** What happened to the clocks since the agent started. */
  clockTotals(): { readonly steps: number; readonly suspendedSeconds: number };
  /** The clock that Hyper-V offers this machine; undefined without one, and where chrony's configuration cannot be read. */
  hypervClock(signal: AbortSignal): Answer<HypervClock | undefined>;
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
  /** Which server has answered, by address or name and port: two names of one server are one source. */
  readonly origin?: string;
}

/** A clock that Hyper-V offers, and what chrony is configured to use. */
export interface HypervClock {
  /** `/dev/ptp0`. */
  readonly device: string;
  /** Of chrony's configuration and everything it includes. */
  readonly chronyLines: readonly string[];
}

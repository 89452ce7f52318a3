import { readFileSync } from 'node:fs';
import type { Host } from '../../host.ts';
import type { ClockEvent } from './types.ts';

/** The clocks of this machine, in seconds, each from a beginning of its own. */
export interface Clocks {
  /** What people see. It can be set. */
  wall(): number;
  /** CLOCK_MONOTONIC: never set, and stands still while the machine sleeps. */
  monotonic(): number;
  /** CLOCK_BOOTTIME: as the monotonic one, but goes on while the machine sleeps. Undefined where it cannot be read. */
  sinceBoot(): number | undefined;
}

/** Notices that the clock was set, or that the machine slept. */
export interface ClockWatch extends Pick<Host, 'watchClock' | 'clockEvents' | 'clockTotals'> {
  /** Compares the clocks once. */
  poll(): void;
}

const everyMs = 5000;
/** Well above the hundredths of /proc/uptime, below the second of a leap second. */
const smallestSeconds = 0.5;
/** The clocks cannot be read at one moment: a poll delayed between them would see steps that never happened. */
const longestPollSeconds = 0.1;
const keptSeconds = 3600;
const maxKept = 100;

const systemClocks: Clocks = {
  wall: () => Date.now() / 1000,
  monotonic: () => performance.now() / 1000,
  sinceBoot: () => {
    try {
      // proc(5): the first number includes time spent in suspend.
      return Number.parseFloat(readFileSync('/proc/uptime', 'utf8'));
    } catch {
      return undefined;
    }
  },
};

interface Reading {
  readonly wall: number;
  readonly monotonic: number;
  readonly sinceBoot: number | undefined;
}

type Kept = Omit<ClockEvent, 'secondsAgo'> & { readonly at: Reading };

/**
 * Compares how far three clocks have come since the last poll. NTP slews the wall and the monotonic clock alike, so only
 * a step separates them; only sleep separates the monotonic clock from the time since boot.
 */
export function createClockWatch(clocks: Clocks = systemClocks): ClockWatch {
  const listeners = new Set<(event: ClockEvent) => void>();
  let last: Reading | undefined;
  let kept: readonly Kept[] = [];
  let steps = 0;
  let suspendedSeconds = 0;

  const age = (then: Reading, now: Reading) => elapsed(then, now).real;

  function note(event: Kept): void {
    kept = [...kept, event].slice(-maxKept);
    if (event.kind === 'stepped') steps += 1;
    else suspendedSeconds += event.seconds;
    for (const listener of listeners) listener({ kind: event.kind, seconds: event.seconds, secondsAgo: 0 });
  }

  function poll(): void {
    const at = read(clocks);
    if (!at) return;
    const before = last;
    last = at;
    if (!before) return;
    const { slept, stepped } = elapsed(before, at);
    if (slept >= smallestSeconds) note({ kind: 'suspended', seconds: slept, at });
    if (Math.abs(stepped) >= smallestSeconds) note({ kind: 'stepped', seconds: stepped, at });
  }

  return {
    poll,
    watchClock(onEvent, signal) {
      if (signal.aborted) return;
      poll();
      listeners.add(onEvent);
      const timer = setInterval(poll, everyMs);
      signal.addEventListener('abort', () => {
        clearInterval(timer);
        listeners.delete(onEvent);
      });
    },
    clockEvents() {
      const now = read(clocks) ?? last;
      if (!now) return [];
      kept = kept.filter(({ at }) => age(at, now) < keptSeconds);
      return kept.map(({ kind, seconds, at }) => ({ kind, seconds, secondsAgo: age(at, now) }));
    },
    clockTotals: () => ({ steps, suspendedSeconds }),
  };
}

/** What has passed between two readings. Without the time since boot, sleep counts as a step. */
function elapsed(from: Reading, to: Reading) {
  const awake = to.monotonic - from.monotonic;
  const known = from.sinceBoot !== undefined && to.sinceBoot !== undefined;
  const real = known ? to.sinceBoot - from.sinceBoot : awake;
  return { real, slept: real - awake, stepped: to.wall - from.wall - real };
}

function read(clocks: Clocks): Reading | undefined {
  const monotonic = clocks.monotonic();
  const reading = { monotonic, wall: clocks.wall(), sinceBoot: clocks.sinceBoot() };
  return clocks.monotonic() - monotonic > longestPollSeconds ? undefined : reading;
}

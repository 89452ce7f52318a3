import { readFileSync } from 'node:fs';
import type { ClockEvent } from '../host.ts';

/** The clocks of this machine, in seconds, each from a beginning of its own. */
export interface Clocks {
  /** What people see; whoever may can set it. */
  wall(): number;
  /** Never set, and stands still while the machine sleeps: CLOCK_MONOTONIC. */
  monotonic(): number;
  /** As the monotonic one, but goes on while the machine sleeps: CLOCK_BOOTTIME. Nothing where it cannot be read. */
  sinceBoot(): number | undefined;
}

/** Notices that the clock was set, or that the machine slept. */
export interface ClockWatch {
  /** Looks every few seconds until it is stopped. */
  start(): void;
  stop(): void;
  /** Looks once. */
  look(): void;
  /** The last hour's, oldest first. */
  events(): readonly ClockEvent[];
  /** Since the start. */
  totals(): { readonly steps: number; readonly suspendedSeconds: number };
}

const everyMs = 5000;
/** Well above the hundredths of /proc/uptime, below the second of a leap second. */
const smallestSeconds = 0.5;
/** The clocks cannot be read at one moment; a look that was held up between them would see steps that never were. */
const longestLookSeconds = 0.1;
const keptSeconds = 3600;
const mostKept = 100;

const systemClocks: Clocks = {
  wall: () => Date.now() / 1000,
  monotonic: () => performance.now() / 1000,
  sinceBoot: () => {
    try {
      // proc(5): the first number counts the time spent in suspend too.
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
 * Compares how far three clocks have come since the last look. NTP slews wall and monotonic clock alike, so only a step
 * parts them; only sleep parts the monotonic one from the time since boot. `onEvent` hears of each event once.
 */
export function createClockWatch(
  onEvent: (event: ClockEvent) => void,
  clocks: Clocks = systemClocks,
): ClockWatch {
  let last: Reading | undefined;
  let timer: NodeJS.Timeout | undefined;
  let kept: readonly Kept[] = [];
  let steps = 0;
  let suspendedSeconds = 0;

  const age = (then: Reading, now: Reading) => elapsed(then, now).real;

  function note(event: Kept): void {
    kept = [...kept, event].slice(-mostKept);
    if (event.kind === 'stepped') steps += 1;
    else suspendedSeconds += event.seconds;
    onEvent({ kind: event.kind, seconds: event.seconds, secondsAgo: 0 });
  }

  const watch: ClockWatch = {
    start() {
      watch.stop();
      watch.look();
      timer = setInterval(watch.look, everyMs);
    },
    stop: () => clearInterval(timer),
    look() {
      const at = read(clocks);
      if (!at) return;
      const before = last;
      last = at;
      if (!before) return;
      const { slept, stepped } = elapsed(before, at);
      if (slept >= smallestSeconds) note({ kind: 'suspended', seconds: slept, at });
      if (Math.abs(stepped) >= smallestSeconds) note({ kind: 'stepped', seconds: stepped, at });
    },
    events() {
      const now = read(clocks) ?? last;
      if (!now) return [];
      kept = kept.filter(({ at }) => age(at, now) < keptSeconds);
      return kept.map(({ kind, seconds, at }) => ({ kind, seconds, secondsAgo: age(at, now) }));
    },
    totals: () => ({ steps, suspendedSeconds }),
  };
  return watch;
}

/** What has passed between two readings. Without the time since boot sleep looks like a step, so none is told apart. */
function elapsed(from: Reading, to: Reading) {
  const awake = to.monotonic - from.monotonic;
  const known = from.sinceBoot !== undefined && to.sinceBoot !== undefined;
  const real = known ? to.sinceBoot - from.sinceBoot : awake;
  return { real, slept: real - awake, stepped: to.wall - from.wall - real };
}

function read(clocks: Clocks): Reading | undefined {
  const monotonic = clocks.monotonic();
  const reading = { monotonic, wall: clocks.wall(), sinceBoot: clocks.sinceBoot() };
  return clocks.monotonic() - monotonic > longestLookSeconds ? undefined : reading;
}

import type { Reading, Wrong } from '../../../check.ts';

/** The reasons of `messageFlow`. */
export const messageReasons = [
  'no_route',
  'expired',
  'queue_long',
  'queue_growing',
  'upstream_offline',
  'clients_refused',
  'storage_not_persistent',
] as const;

/** The gauges of `messageFlow`. */
export const messageGauges = {
  messages_dropped: {
    help: 'Messages of a module output that edgeHub dropped within the window.',
    labels: ['target'],
  },
  queue_length: {
    help: 'Messages that wait in edgeHub for an endpoint.',
    labels: ['target'],
  },
  edgehub_upstream_connected: {
    help: '1 while edgeHub is connected to IoT Hub; absent until it has had ten minutes to reach it.',
    labels: [],
  },
};

/** What one source says about one target. Several may say something about the same. */
export interface Part {
  readonly target: string;
  /** One sentence; what is wrong has its own. */
  readonly message: string;
  readonly readings?: readonly Reading<keyof typeof messageGauges>[];
  /** Worst first. */
  readonly problems?: readonly Wrong<(typeof messageReasons)[number]>[];
}

/** A source that could not be asked about a target, and why. */
export interface NoAnswer {
  readonly target: string;
  readonly error: unknown;
}

const maxWrong = 20;
const maxRight = 10;

/**
 * At most so many parts that nobody is flooded: those with a problem as they come, then others by name, so that these do not come
 * and go. The first says how many with a problem are left out.
 */
export function select(parts: readonly Part[]): readonly Part[] {
  const hasProblem = ({ problems = [] }: Part) => problems.length > 0;
  const wrong = parts.filter(hasProblem);
  const right = parts
    .filter((part) => !hasProblem(part))
    .sort((a, b) => (a.target < b.target ? -1 : 1))
    .slice(0, maxRight);
  const [first, ...more] = wrong.slice(0, maxWrong);
  if (!first) return right;
  const leftOut = wrong.length - 1 - more.length;
  return [leftOut > 0 ? withLeftOut(first, leftOut) : first, ...more, ...right];
}

const withLeftOut = (part: Part, leftOut: number): Part => ({
  ...part,
  problems: (part.problems ?? []).map((problem) => ({
    ...problem,
    message: `${problem.message}; ${leftOut} more with this kind of problem are left out`,
  })),
});

/** `1 message`, `1200 messages` */
export const counted = (count: number, noun: string): string =>
  `${Math.round(count)} ${noun}${Math.round(count) === 1 ? '' : 's'}`;

/** `40 s`, `12 min`, `5 h`, `3 days` */
export function lasting(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} days`;
}

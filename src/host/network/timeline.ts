import type { ProbePhase } from './types.ts';

/** How far an attempt has come, and how long each part of it took. */
export interface Timeline {
  /** Time spent in each phase so far, the one that failed included. */
  readonly seconds: Readonly<Partial<Record<ProbePhase, number>>>;
  /** What the attempt waits for, or last waited for: words to put behind "no answer to". */
  readonly waitingFor: () => string;
  /** Does a part of the attempt, timed by the monotonic clock. */
  run<T>(phase: ProbePhase, waitingFor: string, work: () => Promise<T>): Promise<T>;
}

/** The timeline of an attempt that begins now. */
export function createTimeline(): Timeline {
  const seconds: Partial<Record<ProbePhase, number>> = {};
  let waiting = 'the first step';
  return {
    seconds,
    waitingFor: () => waiting,
    async run(phase, waitingFor, work) {
      waiting = waitingFor;
      const startedAt = performance.now();
      try {
        return await work();
      } finally {
        seconds[phase] = (seconds[phase] ?? 0) + (performance.now() - startedAt) / 1000;
      }
    },
  };
}

import type { ProbePhase } from './types.ts';

/** How far an attempt has got, and how long each phase took. */
export interface Timeline {
  /** Time spent in each phase so far, the one that failed included. */
  readonly seconds: Readonly<Partial<Record<ProbePhase, number>>>;
  /** What the attempt is waiting for, or last waited for, to follow "no answer to". */
  readonly waitingFor: () => string;
  /** Runs a phase of the attempt, timed by the monotonic clock. */
  run<T>(phase: ProbePhase, waitingFor: string, work: () => Promise<T>): Promise<T>;
}

/** A timeline that starts now. */
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

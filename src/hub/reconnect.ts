import { setTimeout } from 'node:timers/promises';

const firstSeconds = 1;
// edgeHub runs on the same device, so a fleet cannot overload it; Microsoft's own client waits 10 s at most.
const maxSeconds = 30;

/**
 * Seconds to wait before the next attempt: between 0 and a limit that doubles from 1 s to 30 s. Full jitter keeps
 * modules that lost edgeHub together from reconnecting together.
 */
export function backoffSeconds(failures: number, random: () => number): number {
  const ceiling = Math.min(maxSeconds, firstSeconds * 2 ** Math.min(failures, 16));
  return ceiling * random();
}

export interface ReconnectOptions {
  /** Runs one session and rejects when it ends; calls `onConnected` while the connection works. */
  session(onConnected: () => void): Promise<never>;
  /** Called after each session that failed, before the wait. */
  onFailure(error: unknown, retrySeconds: number): void;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/** Starts one session after the other until the signal fires. Never rejects. */
export async function keepConnected({ session, onFailure, random, signal }: ReconnectOptions): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      await session(() => {
        failures = 0;
      });
    } catch (error) {
      if (signal.aborted) return;
      const retrySeconds = backoffSeconds(failures, random);
      failures += 1;
      onFailure(error, retrySeconds);
      // The loop condition handles an abort.
      await setTimeout(retrySeconds * 1000, undefined, { signal }).catch(() => {});
    }
  }
}

import { createWakeup } from './wakeup.ts';

/** Seconds. edgeHub runs on the same device, so a fleet cannot overload it; Microsoft's own client waits 10 s at most. */
const refused = { first: 1, max: 30 };
/** A session costs at least one read of the twin, so these are further apart. */
const short = { first: 1, max: 60 };

/** A session that lasts this long counts as working. Longer than the longest wait, so that two instances of a module, which
 * end each other's sessions, both slow down. */
export const lastingMs = 120_000;

/**
 * Seconds to wait before the next attempt: between 0 and a limit that doubles from `first` to `max`. Full jitter keeps
 * modules that lost edgeHub together from reconnecting together.
 */
export function backoffSeconds(failures: number, random: () => number, { first, max } = refused): number {
  return Math.min(max, first * 2 ** Math.min(failures, 16)) * random();
}

/** How a session went: whether it was opened, and whether it lasted. */
export interface Course {
  readonly opened: boolean;
  readonly lasted: boolean;
}

export interface ReconnectOptions {
  /** Runs one session and calls `onOpen` once it is open. Resolves when it is to be replaced, rejects when it fails. */
  session(onOpen: () => void): Promise<void>;
  /** Called after each session that failed, before the wait. */
  onFailure(error: unknown, retrySeconds: number, course: Course): void;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/** Starts one session after the other until the signal fires. Never rejects. */
export async function keepConnected({ session, onFailure, random, signal }: ReconnectOptions): Promise<void> {
  const { wait } = createWakeup();
  let refusals = 0;
  let shortSessions = 0;
  while (!signal.aborted) {
    let openedAt = Number.POSITIVE_INFINITY;
    let failure: { readonly error: unknown } | undefined;
    try {
      await session(() => {
        openedAt = performance.now();
        refusals = 0;
      });
    } catch (error) {
      failure = { error };
    }
    if (signal.aborted) return;
    const lasted = performance.now() - openedAt >= lastingMs;
    const opened = openedAt < Number.POSITIVE_INFINITY;
    if (lasted) shortSessions = 0;
    let seconds = 0;
    if (!opened) seconds = backoffSeconds(refusals++, random);
    else if (failure || !lasted) seconds = backoffSeconds(shortSessions++, random, short);
    if (failure) onFailure(failure.error, seconds, { opened, lasted });
    // The loop condition handles an abort.
    await wait(seconds * 1000, signal).catch(() => {});
  }
}

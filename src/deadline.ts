import { setMaxListeners } from 'node:events';

/** A signal that never fires, for work that only has its own deadline. */
export const { signal: never } = new AbortController();

/**
 * Runs work with a signal that fires when `parent` does, or after `seconds` with a `TimeoutError`. Waits for the work
 * even then, because it may still return a partial result.
 *
 * Uses a timer instead of AbortSignal.timeout(), which is unref'd, so a process that waits for nothing else would exit.
 * In Node 20 it can also be garbage collected before it fires if only AbortSignal.any() refers to it.
 */
export const withDeadline = <T>(
  seconds: number,
  parent: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> =>
  withCancel(parent, async (signal, cancel) => {
    const onTimeout = () => cancel(new DOMException(`No answer within ${seconds} s`, 'TimeoutError'));
    const timer = setTimeout(onTimeout, seconds * 1000);
    try {
      return await work(signal);
    } finally {
      clearTimeout(timer);
    }
  });

/** One for all: to create it costs as much as a small piece of work. */
const workEnded = new DOMException('The work has ended', 'AbortError');

/** Runs work with a signal that fires when `parent` does, when the work calls `cancel`, and when it has ended. */
export async function withCancel<T>(
  parent: AbortSignal,
  work: (signal: AbortSignal, cancel: (reason: unknown) => void) => Promise<T>,
): Promise<T> {
  parent.throwIfAborted();
  // There is one listener for each concurrent subject; Node warns of a leak at eleven.
  setMaxListeners(0, parent);
  const controller = new AbortController();
  const cancel = (reason: unknown) => controller.abort(reason);
  const onParent = () => cancel(parent.reason);
  parent.addEventListener('abort', onParent, { once: true });
  try {
    return await work(controller.signal, cancel);
  } finally {
    parent.removeEventListener('abort', onParent);
    // Ends whatever the work has left running.
    cancel(workEnded);
  }
}

/** Time for aborted work to return a partial result; short compared with any deadline. */
const graceMs = 100;

/**
 * Like {@link withDeadline}, but does not wait for work that ignores its signal: rejects shortly after the deadline, and
 * at once when `parent` fires.
 */
export const within = <T>(
  seconds: number,
  parent: AbortSignal,
  work: (signal: AbortSignal) => T | Promise<T>,
): Promise<T> =>
  withDeadline(
    seconds,
    parent,
    (signal) =>
      new Promise<T>((resolve, reject) => {
        const stopWaiting = () => reject(signal.reason);
        const onAbort = () => (isTimeout(signal.reason) ? setTimeout(stopWaiting, graceMs) : stopWaiting());
        signal.addEventListener('abort', onAbort, { once: true });
        // Started in a promise, so that work that throws synchronously rejects, too.
        Promise.resolve(signal).then(work).then(resolve, reject);
      }),
  );

/** Whether an error means that a deadline passed. Some Node APIs wrap it in an AbortError. */
export const isTimeout = (error: unknown): boolean =>
  error instanceof Error &&
  (error.name === 'TimeoutError' || (error.name === 'AbortError' && isTimeout(error.cause)));

/**
 * Settles with the work, or rejects with the signal's reason as soon as it fires. For work that cannot be cancelled,
 * such as a system call on a filesystem that hangs.
 */
export async function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  // The listener is removed explicitly: in Node.js 20 the option `signal` may lose the removal at a garbage collection.
  let stopListening = () => {};
  try {
    return await new Promise<T>((resolve, reject) => {
      if (signal.aborted) reject(signal.reason);
      const onAbort = () => reject(signal.reason);
      signal.addEventListener('abort', onAbort);
      stopListening = () => signal.removeEventListener('abort', onAbort);
      work.then(resolve, reject);
    });
  } finally {
    stopListening();
  }
}

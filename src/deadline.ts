import { setMaxListeners } from 'node:events';

/** A signal that never fires, for work that has only its own deadline. */
export const { signal: never } = new AbortController();

/**
 * Does work whose signal fires when `parent` does, or after `seconds` with a `TimeoutError`. The work is waited for
 * even then: cut short, it may still answer how far it came.
 *
 * A timer rather than AbortSignal.timeout(): that one is unref'd, so a process which waits for nothing else would just
 * end, and in Node 20 it can be collected as garbage before it fires when only AbortSignal.any() holds it.
 */
export async function withDeadline<T>(
  seconds: number,
  parent: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  parent.throwIfAborted();
  // One listener for each subject under way; Node warns of a leak at eleven.
  setMaxListeners(0, parent);
  const controller = new AbortController();
  const late = () => controller.abort(new DOMException(`No answer within ${seconds} s`, 'TimeoutError'));
  const timer = setTimeout(late, seconds * 1000);
  const onParent = () => controller.abort(parent.reason);
  parent.addEventListener('abort', onParent, { once: true });
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    parent.removeEventListener('abort', onParent);
    // Whatever the work left waiting ends with it.
    controller.abort(new DOMException('The work is over', 'AbortError'));
  }
}

/** Long enough for work that is cut short to answer, too short to be noticed behind a deadline. */
const lastWordMs = 100;

/**
 * As {@link withDeadline}, but rejects right after a deadline, and at once for any other reason to stop: work that
 * ignores its signal holds nobody up.
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
        const giveUp = () => reject(signal.reason);
        const onAbort = () => (isTimeout(signal.reason) ? setTimeout(giveUp, lastWordMs) : giveUp());
        signal.addEventListener('abort', onAbort, { once: true });
        // Started in a promise, so that work which throws at once rejects as well.
        Promise.resolve(signal).then(work).then(resolve, reject);
      }),
  );

/** Whether an error says that a deadline passed. Node's own look-ups wrap that in an AbortError. */
export const isTimeout = (error: unknown): boolean =>
  error instanceof Error &&
  (error.name === 'TimeoutError' || (error.name === 'AbortError' && isTimeout(error.cause)));

/**
 * Settles with the work, or rejects with the signal's reason as soon as it fires: for work that cannot be cancelled,
 * such as a system call on a filesystem that has stopped answering.
 */
export async function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  // By hand: in Node.js 20 a garbage collection may lose a removal that was asked for with the option `signal`.
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

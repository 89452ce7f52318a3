/**
 * Runs `work` with a signal that fires when `parent` does, or after `seconds` (then with a `TimeoutError`).
 * Settles with the work, or rejects with the signal's reason as soon as it fires, so that work which ignores its
 * signal can hold nobody up.
 */
export async function within<T>(
  seconds: number,
  parent: AbortSignal,
  work: (signal: AbortSignal) => T | Promise<T>,
): Promise<T> {
  parent.throwIfAborted();
  const controller = new AbortController();
  const { signal } = controller;
  // A timer of our own: AbortSignal.timeout() is unref'd, and a process waiting for nothing else would just end.
  const timer = setTimeout(
    () => controller.abort(new DOMException(`No answer within ${seconds} s`, 'TimeoutError')),
    seconds * 1000,
  );
  const onParent = () => controller.abort(parent.reason);
  parent.addEventListener('abort', onParent, { once: true });
  try {
    return await new Promise<T>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      // Started in a promise, so that work which throws at once rejects as well.
      Promise.resolve(signal).then(work).then(resolve, reject);
    });
  } finally {
    clearTimeout(timer);
    parent.removeEventListener('abort', onParent);
    // Whatever the work left waiting ends with it.
    controller.abort(new DOMException('The work is over', 'AbortError'));
  }
}

/** Whether an error says that a deadline passed. */
export const isTimeout = (error: unknown): boolean => error instanceof Error && error.name === 'TimeoutError';

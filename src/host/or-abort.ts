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

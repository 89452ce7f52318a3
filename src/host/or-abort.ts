/**
 * Settles with the work, or rejects with the signal's reason as soon as it fires: for work that cannot be cancelled,
 * such as a system call on a filesystem that has stopped answering.
 */
export async function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const over = new AbortController();
  try {
    return await new Promise<T>((resolve, reject) => {
      if (signal.aborted) reject(signal.reason);
      signal.addEventListener('abort', () => reject(signal.reason), { signal: over.signal });
      work.then(resolve, reject);
    });
  } finally {
    over.abort();
  }
}

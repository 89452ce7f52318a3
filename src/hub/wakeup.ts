/** Wakes one waiter. A ring without a waiter is kept for the next wait. */
export interface Wakeup {
  ring(): void;
  /** Resolves at the next ring or after `ms`; rejects when the signal fires. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export function createWakeup(): Wakeup {
  let rung = false;
  let wake = () => {
    rung = true;
  };
  return {
    ring: () => wake(),
    async wait(ms, signal) {
      signal.throwIfAborted();
      if (rung) {
        rung = false;
        return;
      }
      const before = wake;
      let timer: NodeJS.Timeout | undefined;
      let onAbort = () => {};
      try {
        await new Promise<void>((resolve, reject) => {
          wake = resolve;
          onAbort = () => reject(signal.reason);
          signal.addEventListener('abort', onAbort, { once: true });
          // Node's timers overflow beyond 2^31 - 1 ms and then fire at once.
          timer = setTimeout(resolve, Math.min(Math.max(0, ms), 2_147_483_647));
        });
      } finally {
        wake = before;
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
      }
    },
  };
}

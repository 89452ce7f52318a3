/** Promises that are settled from elsewhere, by id. Unknown ids are ignored. */
export interface Waiters<Value> {
  /** Rejects with `timeout` after some seconds. */
  wait(id: string, seconds: number, timeout: Error): Promise<Value>;
  settle(id: string, value: Value): void;
  settleAll(value: Value): void;
  fail(id: string, error: Error): void;
  failAll(error: Error): void;
}

export function createWaiters<Value>(): Waiters<Value> {
  const waiting = new Map<string, { settle(value: Value): void; fail(error: Error): void }>();
  return {
    wait: (id, seconds, timeout) =>
      new Promise((resolve, reject) => {
        const end = () => {
          clearTimeout(timer);
          waiting.delete(id);
        };
        const fail = (error: Error) => {
          end();
          reject(error);
        };
        const timer = setTimeout(fail, seconds * 1000, timeout);
        const settle = (value: Value) => {
          end();
          resolve(value);
        };
        waiting.set(id, { settle, fail });
      }),
    settle: (id, value) => waiting.get(id)?.settle(value),
    settleAll(value) {
      for (const { settle } of waiting.values()) settle(value);
    },
    fail: (id, error) => waiting.get(id)?.fail(error),
    failAll(error) {
      for (const { fail } of waiting.values()) fail(error);
    },
  };
}

import type { Host, Memory } from '../../src/host.ts';

/** A host that can do what the test gives it, and complains about everything else. */
export const fakeHost = (given: Partial<Host>): Host =>
  new Proxy({ names: {}, now: () => new Date('2026-11-21T20:30:00Z'), ...given } as Host, {
    get: (target, key: keyof Host & string) =>
      target[key] ??
      (() => {
        throw new Error(`this test gives the host no ${key}()`);
      }),
  });

/** A memory of values that lasts as long as the test, with the series that the test says. */
export function memoryOf(record: Memory['record']): Memory {
  const values = new Map<string, unknown>();
  return { record, recall: (name) => values.get(name), keep: (name, value) => void values.set(name, value) };
}

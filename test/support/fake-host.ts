import type { Host, Memory } from '../../src/host.ts';

/** A host with only the methods that the test provides. Every other method throws. */
export const fakeHost = (methods: Partial<Host>): Host =>
  new Proxy({ names: {}, now: () => new Date('2026-11-21T20:30:00Z'), ...methods } as Host, {
    get: (target, key: keyof Host & string) =>
      target[key] ??
      (() => {
        throw new Error(`This test provides no host.${key}()`);
      }),
  });

/** An in-memory `Memory` that returns the given series. */
export function memoryOf(record: Memory['record']): Memory {
  const values = new Map<string, unknown>();
  return { record, recall: (name) => values.get(name), keep: (name, value) => void values.set(name, value) };
}

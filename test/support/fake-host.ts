import type { Host } from '../../src/host.ts';

/** A host that can do what the test gives it, and complains about everything else. */
export const fakeHost = (given: Partial<Host>): Host =>
  new Proxy({ names: {}, now: () => new Date('2026-11-21T20:30:00Z'), ...given } as Host, {
    get: (target, key: keyof Host & string) =>
      target[key] ??
      (() => {
        throw new Error(`this test gives the host no ${key}()`);
      }),
  });

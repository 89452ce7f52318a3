import { z } from 'zod';
import type { Check, Subject } from '../../src/check.ts';

/** A check with one subject, `one`, that passes, except for what the test overrides. */
export const fakeCheck = (overrides: Partial<Check> = {}): Check => ({
  id: 'fake',
  title: 'The thing is right',
  params: z.strictObject({}),
  uses: [],
  reasons: ['broken'],
  needs: () => [],
  subjects: () => [{ target: 'one' }],
  examine: async () => ({ status: 'pass', message: 'It is right' }),
  ...overrides,
});

export const subjectsNamed = (...targets: readonly string[]): Subject[] =>
  targets.map((target) => ({ target }));

/** A promise that the test settles. */
export function deferred<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

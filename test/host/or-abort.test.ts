import { getEventListeners } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { orAbort } from '../../src/host/or-abort.ts';

test('thousands of looks under one signal leave no listener behind', async () => {
  const { signal } = new AbortController();
  const worker = async () => {
    for (let n = 0; n < 2000; n++) await orAbort(setImmediate(n), signal);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});

test('it ends with the work, or with the reason of a signal that fires', async () => {
  const stop = new AbortController();
  expect(await orAbort(Promise.resolve(1), stop.signal)).toBe(1);
  await expect(orAbort(Promise.reject(new Error('broken')), stop.signal)).rejects.toThrow('broken');
  const waiting = orAbort(new Promise(() => undefined), stop.signal);
  stop.abort(new Error('over'));
  await expect(waiting).rejects.toThrow('over');
  await expect(orAbort(new Promise(() => undefined), stop.signal)).rejects.toThrow('over');
});

import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { createWakeup } from '../../src/hub/wakeup.ts';

const { signal: never } = new AbortController();
const hour = 3_600_000;

test('a ring wakes the waiter', async () => {
  const wakeup = createWakeup();
  const waiting = wakeup.wait(hour, never);
  wakeup.ring();
  await waiting;
});

test('a ring without a waiter is kept, once', async () => {
  const wakeup = createWakeup();
  wakeup.ring();
  wakeup.ring();
  await wakeup.wait(hour, never);
  const again = wakeup.wait(hour, AbortSignal.abort(new Error('no ring was kept')));
  await expect(again).rejects.toThrow('no ring was kept');
});

test('rings between two waits are not lost', async () => {
  const wakeup = createWakeup();
  for (let round = 0; round < 3; round += 1) {
    const waiting = wakeup.wait(hour, never);
    wakeup.ring();
    await waiting;
    wakeup.ring();
    await wakeup.wait(hour, never);
  }
});

test.each([[-5], [0], [5]])('a wait of %i ms ends by itself', async (ms) => {
  await createWakeup().wait(ms, never);
});

test.each([[Number.POSITIVE_INFINITY], [2 ** 40]])(
  'a wait of %d ms, longer than timers support, does not end at once',
  async (ms) => {
    const wakeup = createWakeup();
    let over = false;
    const waiting = wakeup.wait(ms, never).then(() => {
      over = true;
    });
    await createWakeup().wait(5, never);
    expect(over).toBe(false);
    wakeup.ring();
    await waiting;
  },
);

test('the signal ends the wait with its reason, and no listener is left', async () => {
  const wakeup = createWakeup();
  const stopping = new AbortController();
  const waiting = wakeup.wait(hour, stopping.signal);
  stopping.abort(new Error('stopping'));
  await expect(waiting).rejects.toThrow('stopping');
  await expect(wakeup.wait(0, stopping.signal)).rejects.toThrow('stopping');

  const { signal } = new AbortController();
  await wakeup.wait(0, signal);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

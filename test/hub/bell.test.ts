import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { createBell } from '../../src/hub/bell.ts';

const { signal: never } = new AbortController();
const hour = 3_600_000;

test('a ring wakes the waiter', async () => {
  const bell = createBell();
  const waiting = bell.wait(hour, never);
  bell.ring();
  await waiting;
});

test('a ring while nobody waits is kept, once', async () => {
  const bell = createBell();
  bell.ring();
  bell.ring();
  await bell.wait(hour, never);
  const again = bell.wait(hour, AbortSignal.abort(new Error('nothing was left')));
  await expect(again).rejects.toThrow('nothing was left');
});

test('rings between two waits are not lost', async () => {
  const bell = createBell();
  for (let round = 0; round < 3; round += 1) {
    const waiting = bell.wait(hour, never);
    bell.ring();
    await waiting;
    bell.ring();
    await bell.wait(hour, never);
  }
});

test.each([[-5], [0], [5]])('nobody waits longer than the %i ms given', async (ms) => {
  await createBell().wait(ms, never);
});

test.each([[Number.POSITIVE_INFINITY], [2 ** 40]])(
  'a wait of %d ms, beyond what timers can, does not end at once',
  async (ms) => {
    const bell = createBell();
    let over = false;
    const waiting = bell.wait(ms, never).then(() => {
      over = true;
    });
    await createBell().wait(5, never);
    expect(over).toBe(false);
    bell.ring();
    await waiting;
  },
);

test('the signal ends the wait with its reason, and nothing listens to it afterwards', async () => {
  const bell = createBell();
  const stopping = new AbortController();
  const waiting = bell.wait(hour, stopping.signal);
  stopping.abort(new Error('stopping'));
  await expect(waiting).rejects.toThrow('stopping');
  await expect(bell.wait(0, stopping.signal)).rejects.toThrow('stopping');

  const { signal } = new AbortController();
  await bell.wait(0, signal);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

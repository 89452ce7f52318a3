import { getEventListeners } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { isTimeout, orAbort, withDeadline, within } from '../src/deadline.ts';

const { signal: never } = new AbortController();

/** As node:timers/promises and others reject once their signal has fired. */
const aborted = (cause: Error) =>
  Object.assign(new Error('The operation was aborted', { cause }), { name: 'AbortError' });
const hang = () => new Promise<never>(() => {});

test('work that is done in time gives its answer', async () => {
  expect(await within(10, never, async () => 'done')).toBe('done');
  expect(await within(10, never, () => 'done at once')).toBe('done at once');
});

test('work that fails rejects with its own error, thrown or rejected', async () => {
  const error = new Error('broken');
  const throwing = () => {
    throw error;
  };
  await expect(within(10, never, throwing)).rejects.toBe(error);
  await expect(within(10, never, () => Promise.reject(error))).rejects.toBe(error);
});

test('work that ignores its signal is left behind at the deadline, which says how long it was', async () => {
  const late = within(0.02, never, hang);
  await expect(late).rejects.toThrow('No answer within 0.02 s');
  await expect(late).rejects.toSatisfy(isTimeout);
});

test('work cut short may still answer how far it came', async () => {
  const untilAborted = (signal: AbortSignal) =>
    new Promise<string>((resolve) => signal.addEventListener('abort', () => resolve('half the way')));
  expect(await withDeadline(0.02, never, untilAborted)).toBe('half the way');
});

test.each([
  ['within', within],
  ['withDeadline', withDeadline],
])('%s hands on the reason for stopping', async (_, guard) => {
  const stopping = new AbortController();
  const reason = new Error('SIGTERM was received');
  let seen: unknown;
  const done = guard(10, stopping.signal, (signal) => {
    queueMicrotask(() => stopping.abort(reason));
    return new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => {
        seen = signal.reason;
        reject(signal.reason);
      });
    });
  });
  await expect(done).rejects.toBe(reason);
  expect(seen).toBe(reason);
});

test('nothing is begun once everything stops', async () => {
  let begun = false;
  const work = async () => {
    begun = true;
  };
  await expect(within(10, AbortSignal.abort(new Error('over')), work)).rejects.toThrow('over');
  expect(begun).toBe(false);
});

test('what the work left waiting ends with it', async () => {
  let kept: AbortSignal | undefined;
  await within(10, never, async (signal) => {
    kept = signal;
  });
  expect(kept?.aborted).toBe(true);
  expect(isTimeout(kept?.reason)).toBe(false);
});

test('a thousand deadlines at once make no warning and leave no listener behind', async () => {
  const { signal } = new AbortController();
  const warnings: string[] = [];
  const onWarning = ({ name }: Error) => warnings.push(name);
  process.on('warning', onWarning);
  onTestFinished(() => void process.off('warning', onWarning));
  await Promise.all(Array.from({ length: 1000 }, () => within(10, signal, async () => {})));
  // A warning is emitted in the next tick.
  await setImmediate();
  expect(warnings).toEqual([]);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test.each([
  [new DOMException('late', 'TimeoutError'), true],
  [aborted(new DOMException('late', 'TimeoutError')), true],
  [aborted(new Error('SIGTERM was received')), false],
  [new DOMException('over', 'AbortError'), false],
  [new Error('TimeoutError'), false],
  ['TimeoutError', false],
  [undefined, false],
])('%s is a deadline that passed: %s', (error, expected) => {
  expect(isTimeout(error)).toBe(expected);
});

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

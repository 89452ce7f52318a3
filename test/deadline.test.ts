import { getEventListeners } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { isTimeout, orAbort, withDeadline, within } from '../src/deadline.ts';

const { signal: never } = new AbortController();

/** The error with which node:timers/promises and others reject when their signal fires. */
const aborted = (cause: Error) =>
  Object.assign(new Error('The operation was aborted', { cause }), { name: 'AbortError' });
const hang = () => new Promise<never>(() => {});

test('work that finishes in time returns its result', async () => {
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

test('work that ignores its signal is abandoned after the deadline, which the error contains', async () => {
  const abandoned = within(0.02, never, hang);
  await expect(abandoned).rejects.toThrow('No answer within 0.02 s');
  await expect(abandoned).rejects.toSatisfy(isTimeout);
});

test('aborted work can still return a partial result', async () => {
  const untilAborted = (signal: AbortSignal) =>
    new Promise<string>((resolve) => signal.addEventListener('abort', () => resolve('partial result')));
  expect(await withDeadline(0.02, never, untilAborted)).toBe('partial result');
});

test.each([
  ['within', within],
  ['withDeadline', withDeadline],
])('%s passes on the reason for stopping', async (_, guard) => {
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

test('work is not started when the signal has already fired', async () => {
  let started = false;
  const work = async () => {
    started = true;
  };
  await expect(within(10, AbortSignal.abort(new Error('over')), work)).rejects.toThrow('over');
  expect(started).toBe(false);
});

test('what the work has left running is aborted when it ends', async () => {
  let workSignal: AbortSignal | undefined;
  await within(10, never, async (signal) => {
    workSignal = signal;
  });
  expect(workSignal?.aborted).toBe(true);
  expect(isTimeout(workSignal?.reason)).toBe(false);
});

test('a thousand concurrent deadlines cause no warning and leave no listener', async () => {
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
])('%s means that a deadline passed: %s', (error, expected) => {
  expect(isTimeout(error)).toBe(expected);
});

test('thousands of calls of orAbort with one signal leave no listener', async () => {
  const { signal } = new AbortController();
  const worker = async () => {
    for (let n = 0; n < 2000; n++) await orAbort(setImmediate(n), signal);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});

test('orAbort settles with the work, or rejects with the reason of a signal that fires', async () => {
  const stop = new AbortController();
  expect(await orAbort(Promise.resolve(1), stop.signal)).toBe(1);
  await expect(orAbort(Promise.reject(new Error('broken')), stop.signal)).rejects.toThrow('broken');
  const waiting = orAbort(new Promise(() => undefined), stop.signal);
  stop.abort(new Error('over'));
  await expect(waiting).rejects.toThrow('over');
  await expect(orAbort(new Promise(() => undefined), stop.signal)).rejects.toThrow('over');
});

import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { backoffSeconds, type Course, keepConnected } from '../../src/hub/reconnect.ts';

test.each([
  [0, 1],
  [1, 2],
  [2, 4],
  [4, 16],
  [5, 30],
  [1_000_000, 30],
])('after %i failures the wait is between 0 and %d s', (failures, longest) => {
  expect(backoffSeconds(failures, () => 0)).toBe(0);
  expect(backoffSeconds(failures, () => 0.5)).toBe(longest / 2);
  expect(backoffSeconds(failures, () => 1)).toBe(longest);
});

describe('the waits between sessions', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** The waits, in seconds, before and between sessions that each take this long; undefined is one that is refused. */
  async function waits(sessions: readonly (number | undefined)[], end: 'fails' | 'is replaced' = 'fails') {
    const stopping = new AbortController();
    onTestFinished(() => stopping.abort());
    const started: number[] = [];
    const courses: Course[] = [];
    const retries: number[] = [];
    const remaining = [...sessions];
    void keepConnected({
      async session(onOpen) {
        started.push(performance.now());
        if (remaining.length === 0) await new Promise(() => {});
        const seconds = remaining.shift();
        if (seconds === undefined) throw new Error('refused');
        onOpen();
        await new Promise<void>((resolve) => void setTimeout(resolve, seconds * 1000));
        if (end === 'fails') throw new Error('lost');
      },
      onFailure(_error, seconds, course) {
        retries.push(seconds);
        courses.push(course);
      },
      random: () => 1,
      signal: stopping.signal,
    });
    await vi.advanceTimersByTimeAsync(10_000_000);
    const gaps = sessions.map(
      (seconds = 0, i) => ((started[i + 1] ?? 0) - (started[i] ?? 0)) / 1000 - seconds,
    );
    return { gaps: gaps.map(Math.round), retries, courses };
  }

  test('double up to 30 s while edgeHub refuses connections', async () => {
    const { gaps, retries } = await waits(Array.from({ length: 7 }, () => undefined));
    expect(gaps).toEqual([1, 2, 4, 8, 16, 30, 30]);
    expect(retries).toEqual(gaps);
  });

  test('double up to a minute while sessions are short, because each costs a read of the twin', async () => {
    const { gaps } = await waits(Array.from({ length: 8 }, () => 100));
    expect(gaps).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  });

  test('begin anew after a session that lasted two minutes, and not when one was only opened', async () => {
    const { gaps, courses } = await waits([1, 1, 120, 1, 119]);
    expect(gaps).toEqual([1, 2, 1, 2, 4]);
    expect(courses.map(({ lasted }) => lasted)).toEqual([false, false, true, false, false]);
  });

  test('are short while an edgeHub that is recreated refuses connections, even after short sessions', async () => {
    expect((await waits([1, 1, 1, 1, undefined, undefined, 1])).gaps).toEqual([1, 2, 4, 8, 1, 2, 16]);
  });

  test('are absent after a session that was replaced, unless it was short', async () => {
    const { gaps, retries } = await waits([2700, 2700, 1, 1], 'is replaced');
    expect(gaps).toEqual([0, 0, 1, 2]);
    expect(retries).toEqual([]);
  });
});

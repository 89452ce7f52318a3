import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { schedule } from '../../src/run/schedule.ts';

const start = new Date('2026-11-21T20:02:00Z');
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

beforeEach(() => {
  vi.useFakeTimers({ now: start });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A cron line and the moments at which it fired. */
function scheduled(expression: string) {
  const fired: string[] = [];
  const task = schedule(expression, () => fired.push(new Date().toISOString().slice(0, 19)));
  return { ...task, fired };
}

test('it fires at each match, in UTC wherever the machine is', async () => {
  const before = process.env.TZ;
  process.env.TZ = 'Asia/Kathmandu';
  const { fired, stop } = scheduled('0 22 * * *');
  await vi.advanceTimersByTimeAsync(30 * hourMs);
  stop();
  if (before === undefined) delete process.env.TZ;
  else process.env.TZ = before;
  expect(fired).toEqual(['2026-11-21T22:00:00', '2026-11-22T22:00:00']);
});

test('it fires every five minutes, hour after hour', async () => {
  const { fired, stop } = scheduled('*/5 * * * *');
  await vi.advanceTimersByTimeAsync(2 * hourMs);
  stop();
  expect(fired).toHaveLength(24);
  expect(fired.slice(0, 2)).toEqual(['2026-11-21T20:05:00', '2026-11-21T20:10:00']);
});

test('stopped, it fires no more and leaves no timer', async () => {
  const { fired, stop } = scheduled('*/5 * * * *');
  await vi.advanceTimersByTimeAsync(3 * minuteMs);
  stop();
  fired.length = 0;
  await vi.advanceTimersByTimeAsync(hourMs);
  expect(fired).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});

test('an expression whose next match is decades away waits and is not overdue', async () => {
  const { fired, overdueMs, stop } = scheduled('0 0 29 2 mon');
  await vi.advanceTimersByTimeAsync(hourMs);
  expect([fired, overdueMs()]).toEqual([[], 0]);
  stop();
  expect(vi.getTimerCount()).toBe(0);
});

describe('a jump of the clock', () => {
  test.each([
    ['eight hours', 8 * hourMs],
    ['56 years', 56 * 365 * 24 * hourMs],
  ])('by %s forward makes up once for what was missed, within a minute', async (_, jump) => {
    const { fired, stop } = scheduled('*/5 * * * *');
    await vi.advanceTimersByTimeAsync(minuteMs);
    vi.setSystemTime(Date.now() + jump);
    await vi.advanceTimersByTimeAsync(minuteMs);
    expect(fired).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(hourMs);
    stop();
    expect(fired.length).toBeGreaterThanOrEqual(12);
    expect(fired.length).toBeLessThanOrEqual(14);
  });

  test('by eight hours back does not stop it for eight hours', async () => {
    const { fired, stop, overdueMs } = scheduled('*/5 * * * *');
    await vi.advanceTimersByTimeAsync(minuteMs);
    vi.setSystemTime(Date.now() - 8 * hourMs);
    await vi.advanceTimersByTimeAsync(hourMs);
    expect(fired.length).toBeGreaterThanOrEqual(11);
    expect(fired.length).toBeLessThanOrEqual(13);
    expect(overdueMs()).toBe(0);
    stop();
  });

  test('by a second back over a firing does not fire twice', async () => {
    const { fired, stop } = scheduled('*/5 * * * *');
    await vi.advanceTimersByTimeAsync(3 * minuteMs);
    vi.setSystemTime(Date.now() - 1000);
    await vi.advanceTimersByTimeAsync(2 * minuteMs);
    stop();
    expect(fired).toHaveLength(1);
  });
});

describe('a clock that is set back over a run that was made', () => {
  const ranAtFivePast = async () => {
    const task = scheduled('*/5 * * * *');
    await vi.advanceTimersByTimeAsync(3 * minuteMs + 1000);
    expect(task.fired).toEqual(['2026-11-21T20:05:00']);
    return task;
  };

  test('by 45 seconds does not repeat it', async () => {
    const { fired, stop } = await ranAtFivePast();
    vi.setSystemTime(Date.now() - 45_000);
    await vi.advanceTimersByTimeAsync(4 * minuteMs);
    stop();
    expect(fired).toHaveLength(1);
  });

  test('by two minutes follows the new time, and so repeats it once', async () => {
    const { fired, stop } = await ranAtFivePast();
    vi.setSystemTime(Date.now() - 2 * minuteMs);
    await vi.advanceTimersByTimeAsync(4 * minuteMs);
    stop();
    expect(fired.slice(1)).toEqual(['2026-11-21T20:05:00']);
  });
});

describe('overdue', () => {
  test('is nothing while it fires as it should', async () => {
    const { overdueMs, stop } = scheduled('*/5 * * * *');
    for (let minute = 0; minute < 60; minute += 1) {
      await vi.advanceTimersByTimeAsync(minuteMs);
      expect(overdueMs()).toBe(0);
    }
    stop();
  });

  test('is the time by which a loop that no longer turns is late', () => {
    const { overdueMs, stop } = scheduled('*/5 * * * *');
    // Time passes and no timer comes to run.
    const blocked = performance.now() + 10 * minuteMs;
    vi.spyOn(performance, 'now').mockReturnValue(blocked);
    expect(overdueMs()).toBe(7 * minuteMs);
    vi.restoreAllMocks();
    stop();
  });

  test('has no end in months that a timer cannot wait for', async () => {
    const { fired, overdueMs, stop } = scheduled('0 0 1 1 *');
    await vi.advanceTimersByTimeAsync(39 * 24 * hourMs);
    expect([fired, overdueMs()]).toEqual([[], 0]);
    await vi.advanceTimersByTimeAsync(2 * 24 * hourMs);
    stop();
    expect(fired).toEqual(['2027-01-01T00:00:00']);
  });
});

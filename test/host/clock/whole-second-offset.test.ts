import { expect, test } from 'vitest';
import { narrowToEdge, type WholeSecond } from '../../../src/host/clock/whole-second-offset.ts';

const { signal: never } = new AbortController();
const start = 1_800_000_000.123;

interface Server {
  readonly offsetSeconds: number;
  readonly outboundSeconds: number;
  readonly inboundSeconds: number;
}

/** A clock without waits: time passes only while somebody sleeps or is asked. */
function simulate({ offsetSeconds, outboundSeconds, inboundSeconds }: Server) {
  let now = start;
  let answers = 0;
  const ask = async (): Promise<WholeSecond> => {
    const sentSeconds = now;
    const answeredSeconds = Math.floor(now + outboundSeconds - offsetSeconds);
    now += outboundSeconds + inboundSeconds;
    answers += 1;
    return { sentSeconds, receivedSeconds: now, answeredSeconds };
  };
  const sleep = async (seconds: number) => {
    now += seconds;
  };
  return { ask, sleep, now: () => now, answers: () => answers };
}

const narrow = async (server: Server) => {
  const asking = simulate(server);
  const first = await asking.ask();
  const firstAt = asking.now();
  const range = await narrowToEdge(first, asking, never);
  if (!range) throw new Error('the clock stands still');
  return { ...range, answers: asking.answers(), seconds: asking.now() - firstAt };
};

test('the range contains the offset, for any offset and any delays', async () => {
  for (let i = 0; i < 2000; i += 1) {
    // Quasi-random: every run tries the same, well spread cases.
    const spread = (step: number) => (i * step) % 1;
    const offsetSeconds = (spread(0.618034) - 0.5) * 10 ** (i % 6);
    const outboundSeconds = spread(0.754878) * 0.4;
    const inboundSeconds = spread(0.569841) * 0.4;
    const { low, high, answers, seconds } = await narrow({ offsetSeconds, outboundSeconds, inboundSeconds });
    const rounding = 1e-6;
    expect(low).toBeLessThanOrEqual(offsetSeconds + rounding);
    expect(high).toBeGreaterThanOrEqual(offsetSeconds - rounding);
    expect(answers).toBeLessThanOrEqual(7);
    expect(seconds).toBeLessThan(4);
  }
});

test('over a fast network the error is well under a second', async () => {
  const widths: number[] = [];
  for (let i = 0; i < 100; i += 1) {
    const quick = { offsetSeconds: i / 100, outboundSeconds: 0.01, inboundSeconds: 0.01 };
    const { low, high } = await narrow(quick);
    widths.push(high - low);
  }
  expect(Math.max(...widths)).toBeLessThan(0.2);
  expect(widths.reduce((sum, width) => sum + width) / widths.length).toBeLessThan(0.1);
});

test('over a slow network the bound is as wide as the round trip', async () => {
  const slow = { offsetSeconds: 7, outboundSeconds: 0.6, inboundSeconds: 0.6 };
  const { low, high, answers } = await narrow(slow);
  expect(high - low).toBeCloseTo(2.2, 5);
  expect(answers).toBe(2);
});

test.each([0, 0.3, 0.6])(
  'a clock that stands still has no offset, with a round trip of %d s',
  async (roundTrip) => {
    const still = simulate({
      offsetSeconds: 635,
      outboundSeconds: roundTrip / 2,
      inboundSeconds: roundTrip / 2,
    });
    const ask = async () => ({ ...(await still.ask()), answeredSeconds: Math.floor(start - 635) });
    expect(await narrowToEdge(await ask(), { ...still, ask }, never)).toBeUndefined();
  },
);

test('two clocks behind one name widen the range to cover both', async () => {
  const [first, second] = [0, 40].map((offsetSeconds) =>
    simulate({ offsetSeconds, outboundSeconds: 0.01, inboundSeconds: 0.01 }),
  );
  if (!first || !second) throw new Error('two clocks');
  const range = await narrowToEdge(await first.ask(), second, never);
  expect(range?.low).toBeLessThanOrEqual(0);
  expect(range?.high).toBeGreaterThanOrEqual(40);
});

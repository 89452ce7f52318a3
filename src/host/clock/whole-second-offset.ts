import { isTimeout } from '../../deadline.ts';

/** One answer of a clock with whole seconds. Moments in seconds since 1970, the first two by the local clock. */
export interface WholeSecond {
  readonly sentSeconds: number;
  readonly receivedSeconds: number;
  readonly answeredSeconds: number;
}

/** Where local clock minus the other clock lies, in seconds. */
export interface OffsetRange {
  readonly low: number;
  readonly high: number;
}

interface Asking {
  ask(signal: AbortSignal): Promise<WholeSecond>;
  /** The local clock, in seconds since 1970. */
  now(): number;
  sleep(seconds: number, signal: AbortSignal): Promise<void>;
}

/** Each answer halves the range, so five after the first leave a thirty-second of a second and the round trip. */
const maxAnswers = 6;
const maxSeconds = 3;

/**
 * Narrows the offset of a clock with whole seconds by asking again when a second should begin there: whether the answer has
 * the old or the new second shows on which side of the middle the offset lies. Ends after 6 answers or 3 s, once the round
 * trip hides the rest, and with what is known at the deadline or when an answer fails. A clock that has shown only one second
 * is asked once more when that second is over. Undefined for a clock that stands still, such as the date of a cached answer.
 */
export async function narrowToEdge(
  first: WholeSecond,
  { ask, now, sleep }: Asking,
  signal: AbortSignal,
): Promise<OffsetRange | undefined> {
  let range = rangeOf(first);
  let roundTrip = first.receivedSeconds - first.sentSeconds;
  let advanced = false;
  const askAt = async (seconds: number): Promise<WholeSecond | undefined> => {
    try {
      await sleep(Math.max(0, seconds - now()), signal);
      return await ask(signal);
    } catch {
      if (signal.aborted && !isTimeout(signal.reason)) throw signal.reason;
      return undefined;
    }
  };

  const latest = first.receivedSeconds + maxSeconds;
  for (let answers = 1; answers < maxAnswers && range.high - range.low > 2 * roundTrip; answers += 1) {
    const at = nextRequest(range, roundTrip, now());
    const answer = at > latest ? undefined : await askAt(at);
    if (!answer) break;
    if (standsStill(first, answer)) return undefined;
    advanced ||= answer.answeredSeconds !== first.answeredSeconds;
    const other = rangeOf(answer);
    const [low, high] = [Math.max(range.low, other.low), Math.min(range.high, other.high)];
    // Two clocks behind one name: the offset is one of the two.
    if (low > high) return { low: Math.min(range.low, other.low), high: Math.max(range.high, other.high) };
    range = { low, high };
    roundTrip = Math.min(roundTrip, answer.receivedSeconds - answer.sentSeconds);
  }
  if (advanced) return range;
  const last = await askAt(first.receivedSeconds + 1.02);
  return last && standsStill(first, last) ? undefined : range;
}

/** The second of the first answer was over when the later one was requested. */
const standsStill = (first: WholeSecond, later: WholeSecond): boolean =>
  later.answeredSeconds === first.answeredSeconds && later.sentSeconds > first.receivedSeconds + 1;

/** The other clock was in [answered, answered + 1) at some moment between request and answer. */
export const rangeOf = ({ sentSeconds, receivedSeconds, answeredSeconds }: WholeSecond): OffsetRange => ({
  low: sentSeconds - (answeredSeconds + 1),
  high: receivedSeconds - answeredSeconds,
});

/** When to ask, so that the request arrives as a second begins there, if the offset is the middle of the range. */
function nextRequest({ low, high }: OffsetRange, roundTrip: number, now: number): number {
  const middle = (low + high) / 2;
  const edge = Math.ceil(now + roundTrip / 2 - middle) + middle;
  return edge - roundTrip / 2;
}

import { describeError } from '../../errors.ts';
import type { TimeSample } from '../../host/clock/types.ts';
import type { Interval } from './intervals.ts';

/** The answer of one source: its sample, and the interval that contains the offset. */
export interface Estimate extends Interval, TimeSample {
  readonly name: string;
}

/** The sample of a source with its interval. */
export const estimate = (name: string, sample: TimeSample): Estimate => ({
  ...sample,
  name,
  low: sample.offsetSeconds - sample.errorSeconds,
  high: sample.offsetSeconds + sample.errorSeconds,
});

/** `time.windows.com says 90.0 s ahead (± 0.012 s)` */
export const describe = ({ name, offsetSeconds, errorSeconds }: Estimate): string =>
  `${name} says ${inSeconds(Math.abs(offsetSeconds))} ${offsetSeconds < 0 ? 'behind' : 'ahead'} ` +
  `(± ${inSeconds(errorSeconds)})`;

/** Why a source gave no sample, on one line that begins with its name. */
export function causeOf(name: string, cause: unknown): string {
  const message = describeError(cause);
  return message.includes(name) ? message : `${name}: ${message}`;
}

/** A duration in seconds, with hours or days where seconds alone are hard to read. */
export function inSeconds(seconds: number): string {
  if (seconds < 0.001) return 'less than 0.001 s';
  if (seconds < 1) return `${seconds.toFixed(3)} s`;
  if (seconds < 100) return `${seconds.toFixed(1)} s`;
  const whole = `${seconds.toFixed(0)} s`;
  if (seconds < 2 * 3600) return whole;
  if (seconds < 2 * 86_400) return `${whole} (${(seconds / 3600).toFixed(1)} h)`;
  return `${whole} (${(seconds / 86_400).toFixed(1)} days)`;
}

/** `a`, `a and b`, `a, b and c`. */
export const list = (items: readonly string[]): string =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;

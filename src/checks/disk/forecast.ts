import type { Sample } from '../../host.ts';

/** When something that fills up will be full. */
export interface Forecast {
  /** Seconds since 1970. */
  readonly fullAt: number;
  /** The true moment lies within this distance of `fullAt`, if the trend continues. */
  readonly marginSeconds: number;
}

const hour = 3600;
const day = 24 * hour;

// A runaway log shows in the shortest, a leak under weekly clean-up only in the longest.
const spans = [1, 1.5, 2, 3, 4.5, 6, 9, 12, 18, 24, 36, 60, 96, 144, 240, 336, 504, 720, 1080].map(
  (h) => h * hour,
);

/** Blocks in a span. A clean-up once in every block is invisible. */
const blockCount = 8;
const fewestBlocks = 7;
// Blocks overlap, so that each block of the longest span sees a whole week.
const overlap = 0.2;

// The 99.5 % point of the normal distribution.
const z = 2.576;

/**
 * When `capacity` will be reached; undefined when the samples are not enough evidence for a date.
 *
 * Use is a sawtooth: it rises, and something cleans up. So the trend comes from the lowest and the highest sample of each of
 * eight blocks of time: what clean-ups leave behind, and the peaks that reach the limit first. The slope is the median of the slopes of all pairs of them (P. K. Sen, "Estimates of the regression
 * coefficient based on Kendall's tau", JASA 63, 1968, 1379-1389), and its margin the interval Sen gives there. There
 * is a forecast only when
 * - lows and highs both rise, each with 99 % confidence: no pure saw, no noise;
 * - they rise from most blocks to the next: no step;
 * - the peaks are well above the highest level before the span, and it has not risen like that before: an earlier rise was
 *   followed by a clean-up;
 * - the date is not much further ahead than the samples reach back, and its margin is below half the time left.
 *
 * All spans that end now are tried. The longest one with a forecast counts, unless a shorter one is clearly sooner.
 *
 * @param samples oldest first; of one quantity in the unit of `capacity`
 * @param now seconds since 1970
 */
export function forecastFull(
  samples: readonly Sample[],
  capacity: number,
  now: number,
): Forecast | undefined {
  let best: Forecast | undefined;
  for (const span of spans.toReversed()) {
    const forecast = forecastFrom(samples, span, capacity, now);
    if (!forecast) continue;
    const sooner = best && forecast.fullAt + forecast.marginSeconds < best.fullAt - best.marginSeconds;
    if (!best || sooner) best = forecast;
  }
  return best;
}

function forecastFrom(
  samples: readonly Sample[],
  span: number,
  capacity: number,
  now: number,
): Forecast | undefined {
  const from = now - span;
  const blocks = blocksOf(samples, from, span);
  if (blocks.length < fewestBlocks) return undefined;
  const lows = blocks.map(({ low }) => low);
  const highs = blocks.map(({ high }) => high);
  const [below, above] = [senSlope(lows), senSlope(highs)];
  if (!(below.least > 0 && above.least > 0)) return undefined;
  const slope = median([...slopes(lows), ...slopes(highs)]);
  if (median([...slopes(lows, 2), ...slopes(highs, 2)]) < slope / 3) return undefined;

  const tops = highs.map(({ at, value }) => value + slope * (now - at));
  const level = Math.max(median(tops), samples.at(-1)?.value ?? 0);
  const earlier = samples.filter(({ at }) => at < from);
  const rise = slope * span;
  const highest = Math.max(...earlier.map(({ value }) => value));
  if (level - highest < rise / 2 || maxRisen(earlier, span) > rise * (2 / 3)) return undefined;
  const before = from - (earlier[0]?.at ?? from);

  const left = (capacity - level) / slope;
  if (left <= 0 || left > span * furthest(span, before)) return undefined;
  const least = (below.least + above.least) / 2;
  const most = (below.most + above.most) / 2;
  const spread = median(tops.map((top) => Math.abs(top - median(tops)))) / slope;
  const margin = Math.max((capacity - level) / least - left, left - (capacity - level) / most) + spread;
  if (margin > left / 2) return undefined;
  // The line through the peaks meets the limit between two peaks, and the second of them reaches it.
  const half = toothLength(samples, from, blocks) / 2;
  return { fullAt: now + left + half, marginSeconds: margin + half };
}

/**
 * How far ahead to forecast, in spans. A trend of weeks has seen most kinds of clean-up. A short rise is trusted further
 * after an equally long time without one.
 */
function furthest(span: number, before: number): number {
  if (span >= 14 * day) return span < 30 * day ? 2.5 : 4;
  return before >= span ? 1.5 : 0.75;
}

/** The largest rise within a span. */
function maxRisen(samples: readonly Sample[], span: number): number {
  let [first, most] = [0, 0];
  for (const { at, value } of samples) {
    while ((samples[first]?.at ?? at) < at - span) first += 1;
    most = Math.max(most, value - (samples[first]?.value ?? value));
  }
  return most;
}

interface Block {
  readonly low: Sample;
  readonly high: Sample;
}

/** The extremes of each block with samples; empty when the span is not covered from end to end. */
function blocksOf(samples: readonly Sample[], from: number, span: number): readonly Block[] {
  const length = span / blockCount;
  const blocks = Array.from({ length: blockCount }, (_, i) => {
    const [start, end] = [from + i * length, from + (i + 1) * length];
    const within = (margin: number) =>
      samples.filter(({ at }) => at >= Math.max(from, start - margin) && at <= end + margin);
    return within(0).length > 0 ? within(overlap * length) : [];
  });
  if (blocks[0]?.length === 0 || blocks.at(-1)?.length === 0) return [];
  return blocks.flatMap((some) => {
    const [first, ...rest] = some;
    if (!first) return [];
    const low = rest.reduce((least, each) => (each.value < least.value ? each : least), first);
    const high = rest.reduce((most, each) => (each.value > most.value ? each : most), first);
    return [{ low, high }];
  });
}

/** The time from one peak to the next, counting falls of half the usual height; 0 without any. */
function toothLength(samples: readonly Sample[], from: number, blocks: readonly Block[]): number {
  const height = median(blocks.map(({ low, high }) => high.value - low.value)) / 2;
  const falls: number[] = [];
  let [top, bottom, falling] = [-Infinity, Infinity, false];
  for (const { at, value } of samples) {
    if (at < from) continue;
    if (!falling && value <= top - height) {
      falls.push(at);
      [falling, bottom] = [true, value];
    } else if (falling && value >= bottom + height) [falling, top] = [false, value];
    [top, bottom] = [Math.max(top, value), Math.min(bottom, value)];
  }
  const [first, last] = [falls[0], falls.at(-1)];
  return first === undefined || last === undefined || falls.length < 3
    ? 0
    : (last - first) / (falls.length - 1);
}

/** The slopes between all pairs of points not more than `apart` from each other in their order. */
function slopes(points: readonly Sample[], apart = points.length): number[] {
  return points.flatMap((a, i) =>
    points
      .slice(i + 1, i + 1 + apart)
      .flatMap((b) => (b.at > a.at ? [(b.value - a.value) / (b.at - a.at)] : [])),
  );
}

/** Sen's interval: of the sorted slopes, those that Kendall's statistic puts at the ends (his equation 2.6). */
function senSlope(points: readonly Sample[]): { readonly least: number; readonly most: number } {
  const sorted = slopes(points).sort((a, b) => a - b);
  const n = points.length;
  const deviation = z * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  const rank = Math.max(0, Math.floor((sorted.length - deviation) / 2));
  return { least: sorted[rank] ?? 0, most: sorted[sorted.length - 1 - rank] ?? 0 };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [a = 0, b = a] = sorted.length % 2 === 1 ? [sorted[middle]] : [sorted[middle - 1], sorted[middle]];
  return (a + b) / 2;
}

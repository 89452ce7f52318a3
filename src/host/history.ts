import { z } from 'zod';
import type { Sample } from '../host.ts';

/** What has been seen, by series. */
export interface History {
  /** As `Host.remember`. */
  remember(series: string, value: number): readonly Sample[];
  /** All of it as JSON, for `saved` of a later process: at most 0.9 MB, some 20 KB a series after 45 days. */
  snapshot(): SavedHistory;
}

/** By series: first moment, its value, then for each further sample the seconds since the one before, its value. */
export interface SavedHistory {
  readonly version: 1;
  readonly series: Readonly<Record<string, readonly number[]>>;
}

interface Series {
  samples: readonly Sample[];
  /** On the monotonic clock: since when the wall clock has been behind the newest sample. */
  behindSince: number | undefined;
}

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

const denseStep = 5 * minute;
const denseFor = 6 * hour;
const sparseStep = hour;
const sparseFor = 45 * day;
const mostSamples = sparseFor / sparseStep + denseFor / denseStep + 2;
const mostSeries = 40;

/**
 * Keeps one sample for each five minutes of the last six hours, and one for each hour of the 45 days before.
 *
 * The clock may jump. Samples are bounded by their number and not by their age, so a jump ahead forgets nothing. While
 * the clock is behind the newest sample nothing is kept, and a value stands alone: a machine without a clock of its own
 * boots in 1970 and is right a minute later. Only when that lasts for an hour were the samples from the future wrong.
 *
 * @param saved of {@link History.snapshot}; a series that makes no sense is left out.
 * @param monotonic milliseconds on a clock that never jumps
 */
export function createHistory({
  now,
  saved,
  monotonic = () => performance.now(),
}: {
  now: () => Date;
  saved?: unknown;
  monotonic?: () => number;
}): History {
  const all = new Map<string, Series>(
    Object.entries(readSaved(saved)).map(([name, samples]) => [name, { samples, behindSince: undefined }]),
  );

  return {
    remember(name, value) {
      const sample = { at: Math.round(now().getTime() / 1000), value };
      const series = all.get(name) ?? { samples: [], behindSince: undefined };
      // The series that has waited longest for a value comes first, and goes first.
      all.delete(name);
      all.set(name, series);
      for (const oldest of all.keys()) if (all.size > mostSeries) all.delete(oldest);

      const newest = series.samples.at(-1)?.at ?? sample.at;
      if (newest - sample.at > denseStep) {
        series.behindSince ??= monotonic();
        if (monotonic() - series.behindSince < hour * 1000) return [sample];
      }
      series.behindSince = undefined;
      series.samples = thinned([...series.samples.filter(({ at }) => at < sample.at), sample], sample.at);
      return series.samples.filter(({ at }) => at >= sample.at - sparseFor);
    },

    snapshot: () => ({
      version: 1,
      series: Object.fromEntries([...all].map(([name, { samples }]) => [name, flat(samples)])),
    }),
  };
}

/** The last sample of each slot of time. */
function thinned(samples: readonly Sample[], now: number): readonly Sample[] {
  const slot = ({ at }: Sample) => {
    const step = now - at > denseFor ? sparseStep : denseStep;
    return `${step} ${Math.floor(at / step)}`;
  };
  return samples
    .filter((sample, i) => {
      const next = samples[i + 1];
      return !next || slot(next) !== slot(sample);
    })
    .slice(-mostSamples);
}

/** Seven digits: of 100 GiB that is 10 KB. */
const flat = (samples: readonly Sample[]): number[] =>
  samples.flatMap(({ at, value }, i) => [at - (samples[i - 1]?.at ?? 0), Number(value.toPrecision(7))]);

const shape = z.object({ version: z.literal(1), series: z.record(z.string(), z.unknown()) });
const numbers = z.array(z.number()).max(2 * mostSamples);

function readSaved(saved: unknown): Record<string, readonly Sample[]> {
  const { data } = shape.safeParse(saved);
  const known = Object.entries(data?.series ?? {}).flatMap(([name, text]) => {
    const samples = unflat(numbers.safeParse(text).data ?? []);
    return samples.length > 0 ? [[name, samples] as const] : [];
  });
  return Object.fromEntries(known.slice(-mostSeries));
}

/** Nothing unless the moments rise. */
function unflat(flattened: readonly number[]): readonly Sample[] {
  const samples: Sample[] = [];
  for (let i = 0; i + 1 < flattened.length; i += 2) {
    const [since = 0, value = 0] = flattened.slice(i, i + 2);
    if (since <= 0) return [];
    samples.push({ at: (samples.at(-1)?.at ?? 0) + since, value });
  }
  return samples;
}

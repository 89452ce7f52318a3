import * as z from 'zod';
import type { Memory, Sample } from '../host.ts';

/** The name under which the state file keeps what checks remember. */
export const checkMemoryName = 'history';

/** What checks remember, as `Host.memory`, and all of it as JSON. */
export interface CheckMemory extends Memory {
  /** For `saved` of a later process: at most 0.9 MB of series, some 20 KB each after 45 days, and 256 KiB of values. */
  snapshot(): SavedMemory;
}

/** The form of a snapshot. */
export interface SavedMemory {
  readonly version: 1;
  /** By name: the first moment and value, then for each further sample the seconds since the one before and its value. */
  readonly series: Readonly<Record<string, readonly number[]>>;
  readonly values: Readonly<Record<string, unknown>>;
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
const maxSamples = sparseFor / sparseStep + denseFor / denseStep + 2;
const maxSeries = 40;
const maxValueBytes = 32 * 1024;
const maxValuesBytes = 256 * 1024;

/**
 * Keeps one sample for each five minutes of the last six hours, and one for each hour of the 45 days before.
 *
 * The clock may jump. Samples are bounded by their number and not by their age, so a jump ahead forgets nothing. While
 * the clock is behind the newest sample nothing is kept and a value stands alone: a machine without a battery-backed
 * clock boots in 1970 and is right a minute later. Once that has lasted for an hour, the samples from the future were
 * wrong and are dropped.
 *
 * @param saved the {@link CheckMemory.snapshot} of an earlier process; whatever is malformed in it is left out.
 * @param monotonic milliseconds on a clock that never jumps
 */
export function createCheckMemory({
  now,
  saved,
  monotonic = () => performance.now(),
}: {
  now: () => Date;
  saved?: unknown;
  monotonic?: () => number;
}): CheckMemory {
  const earlier = shape.safeParse(saved).data;
  const all = new Map<string, Series>(
    seriesOf(earlier?.series ?? {}).map(([name, samples]) => [name, { samples, behindSince: undefined }]),
  );
  const values = new Map<string, unknown>(Object.entries(earlier?.values ?? {}));
  dropOldest(values);

  return {
    record(name, value) {
      const sample = { at: Math.round(now().getTime() / 1000), value };
      const series = all.get(name) ?? { samples: [], behindSince: undefined };
      // The series that has waited longest for a value comes first, and is dropped first.
      all.delete(name);
      all.set(name, series);
      for (const oldest of all.keys()) if (all.size > maxSeries) all.delete(oldest);

      const newest = series.samples.at(-1)?.at ?? sample.at;
      if (newest - sample.at > denseStep) {
        series.behindSince ??= monotonic();
        if (monotonic() - series.behindSince < hour * 1000) return [sample];
      }
      series.behindSince = undefined;
      series.samples = thinned([...series.samples.filter(({ at }) => at < sample.at), sample], sample.at);
      return series.samples.filter(({ at }) => at >= sample.at - sparseFor);
    },
    recall: (name) => structuredClone(values.get(name)),
    keep(name, value) {
      const bytes = jsonBytes(value);
      if (bytes > maxValueBytes) {
        throw new RangeError(
          `Could not keep ${name}: it has ${bytes} bytes of JSON, more than ${maxValueBytes}`,
        );
      }
      values.delete(name);
      if (value !== undefined) values.set(name, structuredClone(value));
      dropOldest(values);
    },
    snapshot: () => ({
      version: 1,
      series: Object.fromEntries([...all].map(([name, { samples }]) => [name, flat(samples)])),
      values: Object.fromEntries(values),
    }),
  };
}

/** Names count as well, so that many small values are bounded too. */
function dropOldest(values: Map<string, unknown>): void {
  let total = 0;
  for (const [name, value] of [...values].reverse()) {
    total += jsonBytes([name, value]);
    if (total > maxValuesBytes) values.delete(name);
  }
}

const jsonBytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value) ?? '');

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
    .slice(-maxSamples);
}

/** Seven digits: of 100 GiB that is 10 KB. */
const flat = (samples: readonly Sample[]): number[] =>
  samples.flatMap(({ at, value }, i) => [at - (samples[i - 1]?.at ?? 0), Number(value.toPrecision(7))]);

const shape = z.object({
  version: z.literal(1),
  series: z.record(z.string(), z.unknown()),
  values: z.record(z.string(), z.unknown()).default({}),
});
const numbers = z.array(z.number()).max(2 * maxSamples);

function seriesOf(saved: Readonly<Record<string, unknown>>): (readonly [string, readonly Sample[]])[] {
  const known = Object.entries(saved).flatMap(([name, text]) => {
    const samples = unflat(numbers.safeParse(text).data ?? []);
    return samples.length > 0 ? [[name, samples] as const] : [];
  });
  return known.slice(-maxSeries);
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

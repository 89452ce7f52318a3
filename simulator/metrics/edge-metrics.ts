import { HttpError } from '../http.ts';
import { isObject, type Json, unexpected } from '../json.ts';
import type { Metric, Sample } from './exposition.ts';

/** The two modules of the IoT Edge runtime that have metrics. */
export const components = ['edgeAgent', 'edgeHub'] as const;
export type Component = (typeof components)[number];

/** What one of them counts instead of what it really does: a whole page as text, or some of its metrics. */
export type PageChange =
  | string
  | { readonly instance?: string; readonly metrics: ReadonlyMap<string, Metric> };

/** The changes that the admin API has made. */
export interface EdgeMetrics {
  /** Undefined where nothing was changed. */
  change(component: Component): PageChange | undefined;
  /** As it was set; null where nothing was changed. */
  document(): Readonly<Record<Component, Json>>;
  /**
   * Replaces the change of each component that the body names; null removes it. Throws an `HttpError` 400 that names the
   * wrong field.
   */
  set(body: unknown): void;
}

export function createEdgeMetrics(): EdgeMetrics {
  const changes = new Map<Component, { readonly written: Json; readonly change: PageChange }>();
  return {
    change: (component) => changes.get(component)?.change,
    document: () => ({
      edgeAgent: changes.get('edgeAgent')?.written ?? null,
      edgeHub: changes.get('edgeHub')?.written ?? null,
    }),
    set(body) {
      if (!isObject(body)) throw unexpected('The body', `an object with ${components.join(' or ')}`, body);
      const parsed = Object.entries(body).map(([name, written]) => {
        const component = components.find((each) => each === name);
        if (component === undefined) {
          throw unexpected('A key of the body', `one of ${components.join(', ')}`, name);
        }
        return { component, written, change: written === null ? undefined : parseChange(component, written) };
      });
      for (const { component, written, change } of parsed) {
        if (change === undefined) changes.delete(component);
        else changes.set(component, { written, change });
      }
    },
  };
}

function parseChange(component: Component, written: Json): PageChange {
  if (typeof written === 'string') return written;
  if (!isObject(written)) {
    throw unexpected(component, 'a page of metrics as text, an object of metrics, or null', written);
  }
  const { instance_number: instance, ...series } = written;
  if (instance !== undefined && typeof instance !== 'string') {
    throw unexpected(`${component}.instance_number`, 'a text', instance);
  }
  const metrics = new Map<string, Metric>();
  for (const [name, value] of Object.entries(series)) {
    const path = `${component}.${name}`;
    if (!/^[A-Za-z_:][A-Za-z0-9_:]*$/.test(name)) {
      throw unexpected(`A key of ${component}`, 'the name of a metric', name);
    }
    const { metric, type, suffix } = kindOf(name);
    const samples = parseSamples(value, path).map(([labels, each]): Sample => [labels, each, suffix]);
    // The quantiles of a summary have its plain name.
    const known = metrics.get(metric);
    metrics.set(metric, {
      name: metric,
      type: known?.type === 'summary' ? 'summary' : type,
      help: 'Set by PUT /edge-metrics',
      samples: [...(known?.samples ?? []), ...samples],
    });
  }
  return { ...(instance !== undefined && { instance }), metrics };
}

/** The only counter whose name ends like that of a summary (edgeAgent). */
const directMethods = 'edgeagent_direct_method_invocations_count';

/** What edgeHub and edgeAgent call timers, durations and histograms are summaries. */
function kindOf(series: string): { metric: string; type: Metric['type']; suffix: string } {
  if (series.endsWith('_total') || series === directMethods) {
    return { metric: series, type: 'counter', suffix: '' };
  }
  const [, metric, suffix] = /^(.+)(_sum|_count)$/.exec(series) ?? [];
  return metric !== undefined && suffix !== undefined
    ? { metric, type: 'summary', suffix }
    : { metric: series, type: 'gauge', suffix: '' };
}

// Of Prometheus's data model.
const labelName = /^[A-Za-z_]\w*$/;

/** A number, or a list of objects with `value` and labels; null and an empty list stand for no sample. */
function parseSamples(value: Json, path: string): Sample[] {
  if (value === null) return [];
  if (!Array.isArray(value)) return [[{}, parseNumber(value, path)]];
  const samples = value.map((sample, i): Sample => {
    const at = `${path}[${i}]`;
    if (!isObject(sample)) throw unexpected(at, 'an object with "value" and labels', sample);
    const labels = Object.entries(sample).flatMap(([name, label]): [string, string][] => {
      if (name === 'value') return [];
      if (typeof label !== 'string') throw unexpected(`${at}.${name}`, 'a text', label);
      if (!labelName.test(name))
        throw unexpected(`A label of ${at}`, 'letters, digits and underscores', name);
      return [[name, label]];
    });
    return [Object.fromEntries(labels), parseNumber(sample.value, `${at}.value`)];
  });
  const first = new Map<string, number>();
  for (const [i, [labels]] of samples.entries()) {
    // For Prometheus, an empty label is an absent one.
    const series = JSON.stringify(
      Object.entries(labels)
        .filter(([, label]) => label !== '')
        .sort(),
    );
    const earlier = first.get(series);
    if (earlier !== undefined)
      throw new HttpError(
        400,
        `${path}[${i}] repeats the labels of ${path}[${earlier}]: give each sample other labels`,
      );
    first.set(series, i);
  }
  return samples;
}

const specialNumbers: ReadonlyMap<unknown, number> = new Map([
  ['NaN', Number.NaN],
  ['+Inf', Number.POSITIVE_INFINITY],
  ['-Inf', Number.NEGATIVE_INFINITY],
]);

function parseNumber(value: Json | undefined, path: string): number {
  // JSON's 1e999 is read as infinite.
  const number = typeof value === 'number' && Number.isFinite(value) ? value : specialNumbers.get(value);
  if (number === undefined) throw unexpected(path, 'a number, "NaN", "+Inf" or "-Inf"', value);
  return number;
}

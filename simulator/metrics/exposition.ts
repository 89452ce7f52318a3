/** A metric of the Prometheus text format, version 0.0.4. */
export interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'summary';
  readonly help: string;
  readonly samples: readonly Sample[];
  /** The labels of its usual sample, which it may not have yet. */
  readonly labels?: Labels;
}

type Labels = Readonly<Record<string, string>>;

/** A value; for a summary also what follows the metric's name, `_sum` or `_count`. */
export type Sample = readonly [labels: Labels, value: number, suffix?: string];

export const gauge = (name: string, help: string, value: number, labels = {}): Metric => ({
  name,
  type: 'gauge',
  help,
  samples: [[labels, value]],
  labels,
});

export const counter = (name: string, help: string, value: number, labels = {}): Metric => ({
  ...gauge(name, help, value, labels),
  type: 'counter',
});

/** Renders metrics as text. `labelsOf` gives all labels of a sample that has some of its own. */
export function render(
  metrics: readonly Metric[],
  labelsOf: (metric: string, own: Labels) => Labels,
): string {
  const lines = metrics.flatMap(({ name, type, help, samples }) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...samples.map(([own, value, suffix = '']) => {
      const labels = formatLabels(labelsOf(name, own));
      return `${name}${suffix}${labels === '' ? '' : `{${labels}}`} ${formatNumber(value)}`;
    }),
  ]);
  return `${lines.join('\n')}\n`;
}

const formatNumber = (value: number): string =>
  Math.abs(value) === Number.POSITIVE_INFINITY ? (value > 0 ? '+Inf' : '-Inf') : String(value);

const formatLabels = (labels: Labels): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replaceAll(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`)
    .join(',');

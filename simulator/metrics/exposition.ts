/** A metric of the Prometheus text format, version 0.0.4. */
export interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly samples: readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[];
}

export const gauge = (name: string, help: string, value: number, labels = {}): Metric => ({
  name,
  type: 'gauge',
  help,
  samples: [[labels, value]],
});

export const counter = (name: string, help: string, value: number, labels = {}): Metric => ({
  ...gauge(name, help, value, labels),
  type: 'counter',
});

/** Renders metrics as text. Every sample also gets the `common` labels. */
export function render(metrics: readonly Metric[], common: Readonly<Record<string, string>>): string {
  const lines = metrics.flatMap(({ name, type, help, samples }) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...samples.map(([labels, value]) => `${name}{${formatLabels({ ...common, ...labels })}} ${value}`),
  ]);
  return `${lines.join('\n')}\n`;
}

const formatLabels = (labels: Record<string, string>): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replaceAll(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`)
    .join(',');

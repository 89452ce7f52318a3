/** One sample of a metrics page. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** As text. */
  readonly value: string;
}

const labelValue = '(?:[^"\\\\]|\\\\["\\\\n])*';
const label = `[a-zA-Z_]\\w*="${labelValue}"`;
const sample = new RegExp(`^([a-zA-Z_:][\\w:]*)(?:\\{(${label}(?:,${label})*)?\\})? (NaN|[\\deE.+-]+)$`);

/**
 * Whether Azure's metrics-collector reads a line of a metrics page correctly. Its pattern does not match infinities,
 * exemplars, quoted names or trailing blanks, and it applies a sample's timestamp to all samples after it.
 */
export const collectorAccepts = (line: string): boolean =>
  line === '' || line.startsWith('#') || sample.test(line);

/** The samples of a page in text format 0.0.4. Throws for a line that is not a sample. */
export const samplesOf = (page: string): Sample[] =>
  page
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name, labels = '', value] = sample.exec(line) ?? [];
      if (name === undefined || value === undefined) throw new Error(`Not a sample: ${line}`);
      const pairs = [...labels.matchAll(new RegExp(`(\\w+)="(${labelValue})"`, 'g'))];
      return {
        name,
        labels: Object.fromEntries(pairs.map(([, key, text]) => [key, unescaped(text ?? '')])),
        value,
      };
    });

const unescaped = (text: string): string =>
  text.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));

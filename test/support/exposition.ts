/** One sample of a metrics page. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** As written. */
  readonly value: string;
}

const labelValue = '(?:[^"\\\\]|\\\\["\\\\n])*';
const label = `[a-zA-Z_]\\w*="${labelValue}"`;
const sample = new RegExp(`^([a-zA-Z_:][\\w:]*)(?:\\{(${label}(?:,${label})*)?\\})? (NaN|[\\deE.+-]+)$`);

/**
 * Whether Azure's metrics-collector reads a line of a metrics page, and without harm: its pattern knows no
 * infinities, no exemplars, no quoted names and no trailing blanks, and it takes a sample's timestamp for those of
 * all that follow.
 */
export const collectorAccepts = (line: string): boolean =>
  line === '' || line.startsWith('#') || sample.test(line);

/** The samples of a page in text format 0.0.4; throws for a line that is none. */
export const samplesOf = (page: string): Sample[] =>
  page
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name, labels = '', value] = sample.exec(line) ?? [];
      if (name === undefined || value === undefined) throw new Error(`No sample: ${line}`);
      const pairs = [...labels.matchAll(new RegExp(`(\\w+)="(${labelValue})"`, 'g'))];
      return {
        name,
        labels: Object.fromEntries(pairs.map(([, key, text]) => [key, unescaped(text ?? '')])),
        value,
      };
    });

const unescaped = (text: string): string =>
  text.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));

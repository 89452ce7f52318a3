import cron from 'node-cron';

/** From the last field to the first, because seconds may be left out: the name and how many values it has. */
const fields = [
  { name: 'day of week', values: 7 },
  { name: 'month', values: 12 },
  { name: 'day of month', values: 31 },
  { name: 'hour', values: 24 },
  { name: 'minute', values: 60 },
  { name: 'second', values: 60 },
];

/**
 * What is wrong with a cron expression, as a clause; undefined for a valid one. Refuses what node-cron reads differently
 * from crontab(5): a range that runs backwards, which it wraps around, and a step longer than its field.
 */
export function cronProblem(expression: string): string | undefined {
  const { valid, errors } = cron.validateDetailed(expression);
  if (!valid) return errors.map(({ field, value }) => describe(field, String(value))).join(', ');
  const written = expression.trim().split(/\s+/).toReversed();
  return written.flatMap((field, i) => field.split(',').flatMap((part) => partProblem(part, i) ?? []))[0];
}

function describe(field: string, value: string): string {
  if (field !== 'expression') return `"${value}" is not valid for ${wordsOf(field)}`;
  const count = value.trim() === '' ? 0 : value.trim().split(/\s+/).length;
  return count === 5 || count === 6
    ? 'it contains illegal characters'
    : `it needs 5 or 6 fields, got ${count}`;
}

/** `dayOfWeek` becomes `day of week`. */
const wordsOf = (field: string): string => field.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

function partProblem(part: string, i: number): string | undefined {
  const field = fields[i];
  const [, from, to, step] = /^(?:\*|(\d+)-(\d+))(?:\/(\d+))?$/.exec(part) ?? [];
  if (!field) return undefined;
  if (Number(from) > Number(to)) return `the range ${part} for ${field.name} runs backwards`;
  if (Number(step) > field.values) {
    return `the step of ${part} is longer than the ${field.values} values of ${field.name}`;
  }
  return undefined;
}

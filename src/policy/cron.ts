import cron from 'node-cron';

/** From the last field on, since the first one, seconds, may be left out. How many values each has. */
const fields = [
  { name: 'week day', values: 7 },
  { name: 'month', values: 12 },
  { name: 'day of month', values: 31 },
  { name: 'hour', values: 24 },
  { name: 'minute', values: 60 },
  { name: 'second', values: 60 },
];

/**
 * Says in a clause what is wrong with a cron expression. What node-cron would take in another sense than crontab(5)
 * counts as wrong: a range that runs backwards, which it wraps around, and a step that is longer than its field.
 */
export function cronProblem(expression: string): string | undefined {
  const { valid, errors } = cron.validateDetailed(expression);
  if (!valid) return errors.map(({ message }) => message).join(', ');
  const written = expression.trim().split(/\s+/).toReversed();
  return written.flatMap((field, i) => field.split(',').flatMap((part) => partProblem(part, i) ?? []))[0];
}

function partProblem(part: string, i: number): string | undefined {
  const field = fields[i];
  const [, from, to, step] = /^(?:\*|(\d+)-(\d+))(?:\/(\d+))?$/.exec(part) ?? [];
  if (!field) return undefined;
  if (Number(from) > Number(to)) return `${part} runs backwards for ${field.name}`;
  if (Number(step) > field.values)
    return `${part} steps further than the ${field.values} values for ${field.name}`;
  return undefined;
}

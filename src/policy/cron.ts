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

/** Enough for every value of every field to be listed. */
const maxLength = 512;

/**
 * What is wrong with a cron expression, as a clause; undefined for a valid one. Refuses what node-cron reads differently
 * from crontab(5): a range that runs backwards, which it wraps around, and a step longer than its field.
 */
export function cronProblem(expression: string): string | undefined {
  if (expression.length > maxLength) return `it is longer than ${maxLength} characters`;
  const written = fieldsOf(expression);
  // node-cron lists every value of a range before it compares the range with its field.
  const i = written.findIndex((field) => /\d{3}/.test(field));
  if (i >= 0)
    return `"${written[i]}" is not valid for ${fields[written.length - 1 - i]?.name ?? 'any field'}`;
  const { valid, errors } = cron.validateDetailed(expression);
  if (!valid) return errors.map(({ field, value }) => describe(field, String(value))).join(', ');
  const misread = written
    .toReversed()
    .flatMap((field, each) => field.split(',').flatMap((part) => partProblem(part, each) ?? []))[0];
  return misread ?? (everMatches(expression) ? undefined : 'it never matches');
}

/** False for the weekday nearest to 30 February, for instance, which node-cron accepts. */
function everMatches(expression: string): boolean {
  const task = cron.createTask(expression, () => {}, { timezone: 'UTC' });
  try {
    return task.getNextRuns(1).length > 0;
  } catch {
    return false;
  } finally {
    void task.destroy();
  }
}

const fieldsOf = (expression: string): string[] => expression.trim().split(/\s+/).filter(Boolean);

/** The shortest time between two matches of a valid expression within a minute; 60 where it matches once a minute. */
export function shortestGapSeconds(expression: string): number {
  const [field = '0', ...others] = fieldsOf(expression);
  const seconds = others.length === 5 ? secondsOf(field) : [0];
  const next = [...seconds.slice(1), (seconds[0] ?? 0) + 60];
  return Math.min(...seconds.map((second, i) => (next[i] ?? 60) - second));
}

/** The seconds that a valid field matches, in order. */
function secondsOf(field: string): number[] {
  const matches = new Set<number>();
  for (const part of field.split(',')) {
    const [range = '', step = '1'] = part.split('/');
    const [from = 0, to = from] = range === '*' ? [0, 59] : range.split('-').map(Number);
    for (let second = from; second <= to; second += Number(step)) matches.add(second);
  }
  return [...matches].sort((a, b) => a - b);
}

function describe(field: string, value: string): string {
  if (field !== 'expression') return `"${value}" is not valid for ${wordsOf(field)}`;
  const count = fieldsOf(value).length;
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

/** The values that each field of a cron expression matches, in ascending order. */
export interface Cron {
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  /** Days of the month. */
  readonly days: readonly number[];
  readonly months: readonly number[];
  /** Days of the week; 0 is Sunday. */
  readonly weekdays: readonly number[];
}

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** What the values from `min` are also called, in full or by their first three letters. */
  readonly names: readonly string[];
}

const second: Field = { name: 'second', min: 0, max: 59, names: [] };
const minute: Field = { name: 'minute', min: 0, max: 59, names: [] };
const hour: Field = { name: 'hour', min: 0, max: 23, names: [] };
const dayOfMonth: Field = { name: 'day of month', min: 1, max: 31, names: [] };
const month: Field = {
  name: 'month',
  min: 1,
  max: 12,
  names: [
    ...['january', 'february', 'march', 'april', 'may', 'june'],
    ...['july', 'august', 'september', 'october', 'november', 'december'],
  ],
};
/** Sunday is 0 and 7. */
const dayOfWeek: Field = {
  name: 'day of week',
  min: 0,
  max: 7,
  names: ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'],
};

const nicknames: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
]);

/** Enough for every value of every field to be listed. */
export const maxCronLength = 512;

const longestMonths: readonly number[] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Parses a cron expression of crontab(5), with the seconds as an optional first field. Unlike there, a day must match both
 * the day of month and the day of week.
 *
 * @throws RangeError with a clause that says what is wrong; also for a date that never occurs.
 */
export function parseCron(expression: string): Cron {
  if (expression.length > maxCronLength)
    throw new RangeError(`it is longer than ${maxCronLength} characters`);
  const text = expression.trim();
  const nickname = nicknames.get(text.toLowerCase());
  if (text.startsWith('@') && !nickname)
    throw new RangeError(`the nickname is unknown (known: ${[...nicknames.keys()].join(', ')})`);
  const written = (nickname ?? text).split(/[ \t]+/).filter(Boolean);
  if (written.length !== 5 && written.length !== 6)
    throw new RangeError(`it needs 5 or 6 fields, got ${written.length}`);
  if (written.length === 5) written.unshift('0');
  const [seconds = '', minutes = '', hours = '', days = '', months = '', weekdays = ''] = written;
  const cron = {
    seconds: valuesOf(seconds, second),
    minutes: valuesOf(minutes, minute),
    hours: valuesOf(hours, hour),
    days: valuesOf(days, dayOfMonth),
    months: valuesOf(months, month),
    weekdays: valuesOf(weekdays, dayOfWeek),
  };
  const longest = Math.max(...cron.months.map((each) => longestMonths[each - 1] ?? 0));
  if (Math.min(...cron.days) > longest) throw new RangeError(`day ${days} of month ${months} never occurs`);
  return cron;
}

/** What is wrong with a cron expression, as a clause; undefined for a valid one. */
export function cronProblem(expression: string): string | undefined {
  try {
    parseCron(expression);
    return undefined;
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

function valuesOf(written: string, field: Field): readonly number[] {
  const values = new Set<number>();
  const parts = written.split(',');
  if (parts.includes('')) throw new RangeError(`the list ${written} for ${field.name} has an empty entry`);
  for (const part of parts) {
    const { from, to, step } = parsePart(part, field);
    for (let value = from; value <= to; value += step) values.add(field === dayOfWeek ? value % 7 : value);
  }
  return [...values].sort((a, b) => a - b);
}

/** Parses `*`, a value or a range, the first and the last with an optional step. */
function parsePart(part: string, field: Field) {
  const { name, min, max } = field;
  const [, all, start = '', end, steps] = /^(?:(\*)|(\w+)(?:-(\w+))?)(?:\/(\d{1,2}))?$/.exec(part) ?? [];
  const from = all ? min : parseValue(start, field);
  const last = all ? max : parseValue(end ?? start, field);
  // The week of `sat-sun` ends with Sunday.
  const to = end && /\D/.test(end) && last === 0 && from !== undefined && from > 0 ? 7 : last;
  const step = Number(steps ?? 1);
  if (from === undefined || to === undefined || step === 0)
    throw new RangeError(`"${part}" is not valid for ${name}${hintFor(part)}`);
  if (steps && !all && !end)
    throw new RangeError(
      `"${part}" is not valid for ${name}: a step follows * or a range such as ${min}-${field === dayOfWeek ? 6 : max}`,
    );
  if (from > to) throw new RangeError(`the range ${part} for ${name} runs backwards`);
  const count = field === dayOfWeek ? 7 : max - min + 1;
  if (step > count) throw new RangeError(`the step of ${part} is longer than the ${count} values of ${name}`);
  return { from, to, step };
}

/** The value that a number or a name stands for; undefined for any other text. */
function parseValue(text: string, { min, max, names }: Field): number | undefined {
  const word = text.toLowerCase();
  const i = names.findIndex((name) => word === name || word === name.slice(0, 3));
  const value = i >= 0 ? min + i : /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : undefined;
}

/** Names what other schedulers have added to crontab(5). */
const hintFor = (part: string): string =>
  /^(?:\?|L.*|\d+[LW].*|\d+#.*)$/i.test(part) ? ': L, W, # and ? are not supported' : '';

/** The shortest time between two matches of a valid expression within a minute; 60 where it matches once a minute. */
export function shortestGapSeconds(expression: string): number {
  const { seconds } = parseCron(expression);
  const next = [...seconds.slice(1), (seconds[0] ?? 0) + 60];
  return Math.min(...seconds.map((each, i) => (next[i] ?? 60) - each));
}

const daySeconds = 86_400;
/** 29 February falls on the same day of the week after 40 years at the latest, as from 2072 to 2112. */
const maxDays = 41 * 366;

/** The first moment after a time that an expression matches, both in milliseconds since 1970; infinite without one. */
export function nextMatch(cron: Cron, afterMs: number): number {
  const from = Math.floor(afterMs / 1000) + 1;
  const today = Math.floor(from / daySeconds);
  for (let day = today; day < today + maxDays; day += 1) {
    if (!isDay(cron, new Date(day * daySeconds * 1000))) continue;
    const second = secondOfDay(cron, from - day * daySeconds);
    if (second !== undefined) return (day * daySeconds + second) * 1000;
  }
  return Number.POSITIVE_INFINITY;
}

const isDay = ({ days, months, weekdays }: Cron, date: Date): boolean =>
  months.includes(date.getUTCMonth() + 1) &&
  days.includes(date.getUTCDate()) &&
  weekdays.includes(date.getUTCDay());

/** The first second of a day, from one on, that an expression matches. */
function secondOfDay({ seconds, minutes, hours }: Cron, from: number): number | undefined {
  for (const start of hours.map((each) => each * 3600).filter((start) => start + 3600 > from)) {
    for (const begin of minutes.map((each) => start + each * 60).filter((begin) => begin + 60 > from)) {
      const found = seconds.find((each) => begin + each >= from);
      if (found !== undefined) return begin + found;
    }
  }
  return undefined;
}

import { CannotTell } from '../../check.ts';
import type { MetricSample } from './types.ts';

/** The largest page that is parsed: some 20,000 samples with the labels of edgeHub. */
export const maxPageBytes = 4 * 1_048_576;

const maxLines = 50_000;
// edgeAgent's longest label is a JSON document of some 500 characters.
const maxLineLength = 16_384;
const maxLabels = 64;
const maxNameLength = 256;
const maxNumberLength = 40;

/**
 * The samples of a page in Prometheus's text format 0.0.4, in order. Comments, types and help texts are ignored, and so are
 * timestamps; the quantiles, the sum and the count of a summary are samples like others. Every character is read once.
 *
 * @throws CannotTell `unreadable` for a page with a line that is not a sample, because a sample that is left out would count as
 *   zero, and for one beyond the limits of size.
 */
export function parseExposition(page: Buffer): readonly MetricSample[] {
  if (page.length > maxPageBytes)
    throw new CannotTell('unreadable', `It has more than ${maxPageBytes} bytes`);
  const text = page.toString();
  const samples: MetricSample[] = [];
  let line = 0;
  let end = 0;
  for (let at = 0; at < text.length; at = end + 1) {
    line += 1;
    end = text.indexOf('\n', at);
    if (end < 0) throw unreadable(line, 'is cut off');
    if (line > maxLines) throw new CannotTell('unreadable', `It has more than ${maxLines} lines`);
    if (end - at > maxLineLength) throw unreadable(line, `has more than ${maxLineLength} characters`);
    const sample = parseLine(text.slice(at, end));
    if (sample === 'malformed') throw unreadable(line, 'is not a sample of a metric');
    if (sample) samples.push(sample);
  }
  return samples;
}

// Without the line itself, which is foreign.
const unreadable = (line: number, why: string): CannotTell =>
  new CannotTell('unreadable', `Its line ${line} ${why}`);

/** Undefined for a comment and an empty line. */
function parseLine(line: string): MetricSample | 'malformed' | undefined {
  const start = skipBlanks(line, 0);
  if (start === line.length || line[start] === '#') return undefined;
  const nameEnd = skipName(line, start, isNameCharacter);
  if (nameEnd === undefined) return 'malformed';
  let at = skipBlanks(line, nameEnd);
  let labels: Readonly<Record<string, string>> = {};
  if (line[at] === '{') {
    const parsed = parseLabels(line, at + 1);
    if (!parsed) return 'malformed';
    ({ labels, at } = parsed);
  } else if (at === nameEnd) {
    return 'malformed';
  }
  const [written = '', timestamp = '0', ...more] = wordsFrom(line, at);
  const value = parseNumber(written);
  if (value === undefined || more.length > 0 || !/^-?\d{1,20}$/.test(timestamp)) return 'malformed';
  return { name: line.slice(start, nameEnd), labels, value };
}

/** The labels from the character after `{`, and the place after `}`. Undefined where they are malformed. */
function parseLabels(
  line: string,
  start: number,
): { readonly labels: Readonly<Record<string, string>>; readonly at: number } | undefined {
  const labels = new Map<string, string>();
  let at = skipBlanks(line, start);
  while (line[at] !== '}') {
    const nameEnd = skipName(line, at, isLabelCharacter);
    const name = line.slice(at, nameEnd);
    if (nameEnd === undefined || labels.has(name) || labels.size === maxLabels) return undefined;
    at = skipBlanks(line, nameEnd);
    if (line[at] !== '=') return undefined;
    at = skipBlanks(line, at + 1);
    if (line[at] !== '"') return undefined;
    const quoted = parseQuoted(line, at + 1);
    if (!quoted) return undefined;
    labels.set(name, quoted.value);
    at = skipBlanks(line, quoted.at);
    if (line[at] === ',') at = skipBlanks(line, at + 1);
    else if (line[at] !== '}') return undefined;
  }
  return { labels: Object.fromEntries(labels), at: at + 1 };
}

/** A value from the character after its opening quote, and the place after the closing one. Undefined without one. */
function parseQuoted(
  line: string,
  start: number,
): { readonly value: string; readonly at: number } | undefined {
  const parts: string[] = [];
  let from = start;
  for (let at = start; at < line.length; at += 1) {
    if (line[at] === '"') return { value: parts.join('') + line.slice(from, at), at: at + 1 };
    if (line[at] !== '\\') continue;
    // Any other character after a backslash stays as it is written.
    const escaped = escapes.get(line[at + 1] ?? '');
    at += 1;
    if (escaped === undefined) continue;
    parts.push(line.slice(from, at - 1), escaped);
    from = at + 1;
  }
  return undefined;
}

const escapes: ReadonlyMap<string, string> = new Map([
  ['\\', '\\'],
  ['"', '"'],
  ['n', '\n'],
]);

const infinities: ReadonlyMap<string, number> = new Map([
  ['NaN', Number.NaN],
  ['+Inf', Number.POSITIVE_INFINITY],
  ['Inf', Number.POSITIVE_INFINITY],
  ['-Inf', Number.NEGATIVE_INFINITY],
]);

function parseNumber(text: string): number | undefined {
  const special = infinities.get(text);
  if (special !== undefined) return special;
  if (text.length > maxNumberLength || !/^[\d.eE+-]+$/.test(text)) return undefined;
  const number = Number(text);
  return Number.isNaN(number) ? undefined : number;
}

/** The words that blanks separate: at most four, of which a sample has two. */
function wordsFrom(line: string, start: number): string[] {
  const words: string[] = [];
  for (let at = skipBlanks(line, start); at < line.length && words.length < 4; ) {
    const end = skip(line, at, (code) => !isBlank(code));
    words.push(line.slice(at, end));
    at = skipBlanks(line, end);
  }
  return words;
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
/** Letters, digits and the underscore. */
const isLabelCharacter = (code: number): boolean =>
  (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f || isDigit(code);
const isNameCharacter = (code: number): boolean => isLabelCharacter(code) || code === 0x3a;
/** A space or a tab. */
const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

/** The place after the characters from `start` on that belong. */
function skip(line: string, start: number, belongs: (code: number) => boolean): number {
  let at = start;
  while (at < line.length && belongs(line.charCodeAt(at))) at += 1;
  return at;
}

const skipBlanks = (line: string, start: number): number => skip(line, start, isBlank);

/** The place after the name at `start`; undefined where there is none. */
function skipName(line: string, start: number, belongs: (code: number) => boolean): number | undefined {
  const end = skip(line, start, belongs);
  const isName = end > start && end - start <= maxNameLength && !isDigit(line.charCodeAt(start));
  return isName ? end : undefined;
}

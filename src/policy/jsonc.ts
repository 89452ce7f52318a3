import { position, positionsIn } from './positions.ts';

/** Where a part of a document is: keys and indices from the outside to the inside. */
export type Path = readonly PropertyKey[];

/** A document as it is written in a file. */
export interface Written {
  readonly value: unknown;
  /** Keys that their object contains already; the last one counts. */
  readonly duplicates: readonly { readonly path: Path; readonly offset: number }[];
  /** The offset of the key or entry at a path, or of the innermost part around it. */
  offsetOf(path: Path): number;
  /** The position of an offset: `line 3, column 5`, both from 1; a column is a UTF-16 unit. */
  positionAt(offset: number): string;
}

/** Limits of a policy, far above what one can contain. */
export const maxDepth = 32;
export const maxValues = 20_000;

/** Where a key or an entry begins, and what is inside. */
interface Part {
  readonly offset: number;
  readonly parts: Map<PropertyKey, Part>;
}

interface Reader {
  readonly text: string;
  at: number;
  values: number;
  readonly duplicates: { readonly path: Path; readonly offset: number }[];
}

/**
 * Parses JSON with line and block comments, and a byte order mark, which editors on Windows write. Reads each character
 * once.
 *
 * @throws SyntaxError with the line, the column and what is wrong there. It contains nothing of the text, because the
 *   file may be another one than intended.
 */
export function parseJsonc(document: string): Written {
  const text = document.replace(/^\uFEFF/, '');
  const reader: Reader = { text, at: 0, values: 0, duplicates: [] };
  skipBlanks(reader);
  if (reader.at === text.length) throw notJson(reader, 'the document is empty');
  const root: Part = { offset: reader.at, parts: new Map() };
  const value = readValue(reader, [], root);
  skipBlanks(reader);
  if (reader.at < text.length) throw notJson(reader, 'the document ends before this');
  const offsetOf = (path: Path): number => {
    let part = root;
    for (const step of path) part = part.parts.get(step) ?? part;
    return part.offset;
  };
  return { value, duplicates: reader.duplicates, offsetOf, positionAt: positionsIn(text) };
}

const notJson = ({ text, at }: Reader, what: string, offset = at) =>
  new SyntaxError(`not JSON: ${position(text, offset)}: ${what}`);

const blanks = /[ \t\r\n]*/y;

/** Skips white space and comments. */
function skipBlanks(reader: Reader): void {
  const { text } = reader;
  for (;;) {
    reader.at += textAt(reader, blanks).length;
    if (text.startsWith('//', reader.at)) {
      const end = text.indexOf('\n', reader.at);
      reader.at = end < 0 ? text.length : end;
    } else if (text.startsWith('/*', reader.at)) {
      const end = text.indexOf('*/', reader.at + 2);
      if (end < 0) throw notJson(reader, 'this comment has no end');
      reader.at = end + 2;
    } else return;
  }
}

/** What a sticky pattern matches here; an empty text for nothing. */
function textAt({ text, at }: Reader, pattern: RegExp): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}

const word = /[A-Za-z0-9_.+-]+/y;
const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const words: ReadonlyMap<string, unknown> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
]);

function readValue(reader: Reader, path: Path, part: Part): unknown {
  reader.values += 1;
  if (reader.values > maxValues) throw tooMuch(reader, `more than ${maxValues} values`);
  const next = reader.text[reader.at];
  if (next === '{' || next === '[') {
    if (path.length >= maxDepth) throw tooMuch(reader, `nested more than ${maxDepth} levels deep`);
    return next === '{' ? readObject(reader, path, part) : readArray(reader, path, part);
  }
  if (next === '"') return readString(reader);
  if (next === undefined) throw notJson(reader, 'the document ends where a value is missing');
  if (next === "'") throw notJson(reader, 'text must be in double quotes');
  const written = textAt(reader, word);
  if (words.has(written)) {
    reader.at += written.length;
    return words.get(written);
  }
  if (!number.test(written)) throw notJson(reader, numberProblem(written));
  const value = Number(written);
  if (!Number.isFinite(value)) throw tooMuch(reader, 'this number is too large');
  reader.at += written.length;
  return value;
}

/** What is wrong with a word that is no value. */
function numberProblem(written: string): string {
  if (/^-?0\d/.test(written)) return 'remove the leading zero of this number';
  if (/^\+\d/.test(written)) return 'remove the plus sign of this number';
  if (/^-?\.\d|^-?\d+\.(?!\d)/.test(written)) return 'a decimal point needs a digit on both sides';
  if (/^-|^\d/.test(written)) return 'this is not a number';
  return 'expected a value; text must be in double quotes';
}

const tooMuch = ({ text, at }: Reader, what: string) => new SyntaxError(`${position(text, at)}: ${what}`);

function readObject(reader: Reader, path: Path, part: Part): unknown {
  // A Map and Object.fromEntries, so that a key `__proto__` is a key.
  const entries = new Map<string, unknown>();
  readEntries(reader, '}', () => {
    const offset = reader.at;
    if (reader.text[offset] !== '"') throw notJson(reader, 'a key must be in double quotes');
    const key = readString(reader);
    skipBlanks(reader);
    if (reader.text[reader.at] !== ':') throw notJson(reader, 'a colon is missing');
    reader.at += 1;
    skipBlanks(reader);
    const inner: Part = { offset, parts: new Map() };
    const innerPath = [...path, key];
    if (entries.has(key)) reader.duplicates.push({ path: innerPath, offset });
    part.parts.set(key, inner);
    entries.set(key, readValue(reader, innerPath, inner));
  });
  return Object.fromEntries(entries);
}

function readArray(reader: Reader, path: Path, part: Part): unknown {
  const entries: unknown[] = [];
  readEntries(reader, ']', () => {
    const inner: Part = { offset: reader.at, parts: new Map() };
    part.parts.set(entries.length, inner);
    entries.push(readValue(reader, [...path, entries.length], inner));
  });
  return entries;
}

/** Reads what is between two brackets, separated by commas. */
function readEntries(reader: Reader, close: string, readEntry: () => void): void {
  const { text, at: opened } = reader;
  const unclosed = () => notJson(reader, `this "${text[opened]}" has no "${close}"`, opened);
  reader.at += 1;
  skipBlanks(reader);
  while (text[reader.at] !== close) {
    if (reader.at === text.length) throw unclosed();
    readEntry();
    skipBlanks(reader);
    if (text[reader.at] === close) break;
    if (reader.at === text.length) throw unclosed();
    if (text[reader.at] !== ',') throw notJson(reader, `a comma or "${close}" is missing`);
    const comma = reader.at;
    reader.at += 1;
    skipBlanks(reader);
    if (text[reader.at] === close) throw notJson(reader, `remove this comma before "${close}"`, comma);
  }
  reader.at += 1;
}

function readString(reader: Reader): string {
  const { text, at: opened } = reader;
  let at = opened + 1;
  for (; text[at] !== '"'; at += 1) {
    if (at >= text.length || text[at] === '\n') {
      throw notJson(reader, 'this text has no closing quote on its line');
    }
    if (text.charCodeAt(at) < 0x20) throw notJson(reader, 'a control character must be escaped', at);
    if (text[at] !== '\\') continue;
    if (!/^(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.test(text.slice(at + 1, at + 6))) {
      throw notJson(reader, String.raw`this escape is unknown; write \\ for a backslash`, at);
    }
    at += 1;
  }
  reader.at = at + 1;
  const value: unknown = JSON.parse(text.slice(opened, reader.at));
  return String(value);
}

import { HttpError } from './http.ts';

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** Narrows a result of `JSON.parse`. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The error for a part of a body: its path, what it must be, and what it is. */
export const unexpected = (path: string, allowed: string, value: unknown): HttpError =>
  new HttpError(400, `${path} must be ${allowed}, got ${shown(value)}`);

const maxShown = 80;

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > maxShown ? `${text.slice(0, maxShown)}…` : text;
}

/** Parses JSON. Throws an {@link HttpError} that says where the text is not JSON. */
export function parseJson(text: string, status = 400): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HttpError(status, `The body is not JSON: ${problemIn(text)}`, { cause });
  }
}

function problemIn(text: string): string {
  const offset = errorOffset(text);
  const character = text[offset];
  if (character === undefined) return text.trim() === '' ? 'it is empty' : 'it ends before it is complete';
  const lines = text.slice(0, offset).split('\n');
  const column = (lines.at(-1) ?? '').length + 1;
  return `unexpected ${JSON.stringify(character)} in line ${lines.length}, column ${column}`;
}

/** Where V8 stops. Its message has no position for an unexpected token, which is then the end of the shortest such text. */
function errorOffset(text: string): number {
  const stopsIn = (length: number) => /^Unexpected token/.test(messageFor(text.slice(0, length)));
  const [, position] = / at position (\d+)/.exec(messageFor(text)) ?? [];
  if (position !== undefined) return Number(position);
  if (!stopsIn(text.length)) return text.length;
  let [sound, broken] = [0, text.length];
  while (broken - sound > 1) {
    const middle = Math.floor((sound + broken) / 2);
    if (stopsIn(middle)) broken = middle;
    else sound = middle;
  }
  return sound;
}

function messageFor(text: string): string {
  try {
    JSON.parse(text);
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

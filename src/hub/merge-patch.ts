import { isDeepStrictEqual } from 'node:util';

/** A JSON object. */
export type Json = { readonly [key: string]: unknown };

/** Narrows to a JSON object; arrays and null are not objects here. */
export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** IoT Hub allows ten levels. Recursion into what something else may send must not exhaust the stack. */
const maxLevels = 100;

/**
 * Applies a JSON merge patch (RFC 7396): null removes a key, arrays are replaced whole. The SDK merges arrays by index. What is
 * nested deeper than a hundred levels is replaced as it is.
 */
export function applyPatch(document: unknown, patch: unknown, levels = maxLevels): unknown {
  if (!isObject(patch) || levels === 0) return patch;
  const merged = new Map(Object.entries(isObject(document) ? document : {}));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, applyPatch(merged.get(key), value, levels - 1));
  }
  // fromEntries defines properties, so a key such as __proto__ is an ordinary key.
  return Object.fromEntries(merged);
}

/**
 * The merge patch that turns `from` into `to`; undefined when they are equal. A null in an object of `to` counts as
 * absent, because no merge patch can set one.
 */
export function difference(from: Json, to: Json): Json | undefined {
  const [before, after] = [present(from), present(to)];
  const patch = new Map<string, unknown>();
  for (const key of Object.keys(from)) {
    if (!after.has(key)) patch.set(key, null);
  }
  for (const [key, value] of after) {
    const known = before.get(key);
    if (!isObject(value)) {
      if (!isDeepStrictEqual(known, value)) patch.set(key, value);
      continue;
    }
    const inner = difference(isObject(known) ? known : {}, value);
    if (inner || !isObject(known)) patch.set(key, inner ?? {});
  }
  return patch.size > 0 ? Object.fromEntries(patch) : undefined;
}

/** One patch that does what either of two does, which must lead to the same document. */
export function mergePatches(a: Json | undefined, b: Json | undefined): Json | undefined {
  if (!a || !b) return a ?? b;
  const merged = new Map(Object.entries(a));
  for (const [key, value] of Object.entries(b)) {
    const other = merged.get(key);
    merged.set(key, isObject(value) && isObject(other) ? mergePatches(other, value) : value);
  }
  return Object.fromEntries(merged);
}

const present = (document: Json): Map<string, unknown> =>
  new Map(Object.entries(document).filter(([, value]) => value !== null && value !== undefined));

import { isDeepStrictEqual } from 'node:util';

/** A JSON object. */
export type Json = { readonly [key: string]: unknown };

/** Narrows to a JSON object; arrays and null are none. */
export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Applies a JSON merge patch (RFC 7396): null removes, arrays are replaced whole. The SDK merges them by index. */
export function applyPatch(document: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged = new Map(Object.entries(isObject(document) ? document : {}));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, applyPatch(merged.get(key), value));
  }
  // fromEntries defines properties, so that a key such as __proto__ is only a key.
  return Object.fromEntries(merged);
}

/**
 * The merge patch that turns one document into another; undefined when they are equal. A null in an object of `to`
 * means that there is nothing, since no patch can set one.
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

const present = (document: Json): Map<string, unknown> =>
  new Map(Object.entries(document).filter(([, value]) => value !== null && value !== undefined));

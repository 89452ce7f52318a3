import { isDeepStrictEqual } from 'node:util';
import { isObject, type Json, type JsonObject } from '../json.ts';

/** JSON merge patch, RFC 7396 section 2: null deletes, objects merge, everything else replaces. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const merged = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key), value));
  }
  // fromEntries defines properties, so the key __proto__ does not set the prototype.
  return Object.fromEntries(merged);
}

/** The merge patch that turns `from` into `to`. */
export function difference(from: JsonObject, to: JsonObject): JsonObject {
  const removed = Object.keys(from).filter((key) => !Object.hasOwn(to, key));
  const changed = Object.entries(to).flatMap(([key, value]): [string, Json][] => {
    const old = Object.hasOwn(from, key) ? from[key] : undefined;
    if (isDeepStrictEqual(old, value)) return [];
    return [[key, isObject(old) && isObject(value) ? difference(old, value) : value]];
  });
  return Object.fromEntries([...removed.map((key): [string, Json] => [key, null]), ...changed]);
}

/** The desired or the reported properties of a twin. */
export interface Properties {
  /** Starts at 1, as in IoT Hub, and increases with every patch. */
  readonly version: number;
  readonly values: JsonObject;
}

/** The first version of properties. Null values are removed. */
export const firstVersion = (values: JsonObject): Properties => ({
  version: 1,
  values: merge({}, values),
});

/** The next version of properties. A patch without changes also increases the version. */
export const patched = ({ version, values }: Properties, patch: JsonObject): Properties => ({
  version: version + 1,
  values: merge(values, patch),
});

/** Adds `$version`, as in a twin document. */
export const withVersion = (values: JsonObject, version: number): JsonObject => ({
  ...values,
  $version: version,
});

function merge(values: JsonObject, patch: JsonObject): JsonObject {
  const merged = mergePatch(values, patch);
  return isObject(merged) ? merged : {};
}

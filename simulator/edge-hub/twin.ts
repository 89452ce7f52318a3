import { isObject, type Json, type JsonObject } from '../json.ts';

/** JSON merge patch, RFC 7396 section 2: null deletes, objects merge, everything else replaces. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const merged = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key), value));
  }
  // fromEntries defines properties, so that a key such as __proto__ is only a key.
  return Object.fromEntries(merged);
}

/** One side of a twin: its properties and how many times they were written. */
export interface Properties {
  /** Counts from 1, as a new twin's does in IoT Hub. */
  readonly version: number;
  readonly values: JsonObject;
}

/** A side's first version. Nulls in it mean nothing and are left out. */
export const firstVersion = (values: JsonObject): Properties => ({
  version: 1,
  values: merge({}, values),
});

/** The next version of one side. Every accepted patch counts, even one that changes nothing. */
export const patched = ({ version, values }: Properties, patch: JsonObject): Properties => ({
  version: version + 1,
  values: merge(values, patch),
});

/** As a twin document shows it, `$version` inside. */
export const withVersion = (values: JsonObject, version: number): JsonObject => ({
  ...values,
  $version: version,
});

function merge(values: JsonObject, patch: JsonObject): JsonObject {
  const merged = mergePatch(values, patch);
  return isObject(merged) ? merged : {};
}

import { isObject, type Json, type JsonObject } from '../json.ts';

// Limits of one patch, from edgeHub's twin/ReportedPropertiesValidator.cs, which enforces those of IoT Hub.
const maxPatchBytes = 32 * 1024;
const maxDepth = 10;
const maxKeyBytes = 1024;
const maxStringBytes = 4096;
const maxInteger = 2 ** 52 - 1;
const minInteger = -(2 ** 52);
const badCharacter = /[\p{Cc}\s.$#]/u;

/** IoT Hub's limit for all desired or all reported properties; see {@link hubSize}. */
const maxTotalBytes = 32 * 1024;

/** Why edgeHub rejects a patch of twin properties; undefined when it accepts it. */
export function patchProblem(patch: JsonObject): string | undefined {
  const bytes = Buffer.byteLength(JSON.stringify(patch));
  if (bytes > maxPatchBytes) return `the patch has ${bytes} bytes, more than the maximum of ${maxPatchBytes}`;
  return problem('', patch, 0, false);
}

/**
 * Why IoT Hub rejects the merged properties; undefined when it accepts them.
 *
 * A real edgeHub validates only the patch and responds with 204, although the cloud then rejects every update. The
 * simulator rejects the patch itself, so that a module whose twin is too large fails visibly.
 */
export function totalProblem(values: JsonObject): string | undefined {
  const bytes = hubSize(values);
  return bytes > maxTotalBytes
    ? `the merged properties have ${bytes} bytes, more than the maximum of ${maxTotalBytes}`
    : undefined;
}

/** Bytes as IoT Hub counts them: keys and strings as UTF-8 without control characters, 8 per number, 4 per boolean. */
export function hubSize(value: Json): number {
  if (typeof value === 'string') return Buffer.byteLength(value.replaceAll(/\p{Cc}/gu, ''));
  if (typeof value === 'number') return 8;
  if (typeof value === 'boolean') return 4;
  if (value === null) return 0;
  if (!isObject(value)) return value.reduce((sum: number, item) => sum + hubSize(item), 0);
  return Object.entries(value).reduce((sum, [key, inner]) => sum + hubSize(key) + hubSize(inner), 0);
}

function problem(key: string, value: Json, depth: number, inArray: boolean): string | undefined {
  const keyBytes = Buffer.byteLength(key);
  if (keyBytes > maxKeyBytes) return `a key has ${keyBytes} bytes, more than the maximum of ${maxKeyBytes}`;
  if (badCharacter.test(key)) {
    return `the key "${key}" contains a control character, white space or one of . $ #`;
  }
  if (typeof value !== 'object' || value === null) return scalarProblem(key, value, inArray);
  if (depth > maxDepth) return `the properties are nested more than ${maxDepth} levels deep`;

  const children: [string, Json][] = isObject(value)
    ? Object.entries(value)
    : value.map((item) => ['', item]);
  const itemsAreInArray = inArray || !isObject(value);
  for (const [childKey, child] of children) {
    const found = problem(childKey, child, depth + 1, itemsAreInArray);
    if (found !== undefined) return found;
  }
  return undefined;
}

function scalarProblem(key: string, value: null | boolean | number | string, inArray: boolean) {
  if (value === null && inArray) return 'an array contains null';
  if (typeof value === 'number' && isWrittenAsInteger(value) && (value < minInteger || value > maxInteger)) {
    return `"${key}" must be from ${minInteger} to ${maxInteger}, got ${value}`;
  }
  const bytes = typeof value === 'string' ? Buffer.byteLength(value) : 0;
  return bytes > maxStringBytes
    ? `"${key}" has ${bytes} bytes, more than the maximum of ${maxStringBytes}`
    : undefined;
}

// JavaScript writes 1e20 as an integer, but 1e21 with an exponent, which JSON.NET reads as a double without a limit.
const isWrittenAsInteger = (value: number): boolean => /^-?\d+$/.test(String(value));

import { isObject, type Json, type JsonObject } from '../json.ts';

// Limits of one patch, from edgeHub's twin/ReportedPropertiesValidator.cs, which took them from IoT Hub.
const maxPatchBytes = 32 * 1024;
const maxDepth = 10;
const maxKeyBytes = 1024;
const maxStringBytes = 4096;
const maxInteger = 2 ** 52 - 1;
const minInteger = -(2 ** 52);
const badCharacter = /[\p{Cc}\s.$#]/u;

/** Limit of a whole side of a twin, counted the way IoT Hub does. */
const maxTotalBytes = 32 * 1024;

/** Why edgeHub refuses a patch of twin properties; undefined when it takes it. */
export function patchProblem(patch: JsonObject): string | undefined {
  const bytes = Buffer.byteLength(JSON.stringify(patch));
  if (bytes > maxPatchBytes) return `the patch has ${bytes} bytes, more than ${maxPatchBytes}`;
  return problem('', patch, 0, false);
}

/**
 * Why IoT Hub refuses the merged properties; undefined when it takes them.
 *
 * A real edgeHub looks at the patch alone, answers 204 and is then refused by the cloud for ever. The simulator
 * refuses at once, so that a module that outgrows its twin fails where someone sees it.
 */
export function totalProblem(values: JsonObject): string | undefined {
  const bytes = hubSize(values);
  return bytes > maxTotalBytes
    ? `the properties would have ${bytes} bytes, more than ${maxTotalBytes}`
    : undefined;
}

/** Bytes as IoT Hub counts them: keys and strings in UTF-8 without control characters, 8 a number, 4 a boolean. */
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
  if (keyBytes > maxKeyBytes) return `a key has ${keyBytes} bytes, more than ${maxKeyBytes}`;
  if (badCharacter.test(key)) {
    return `the key "${key}" has a control character, a blank or one of . $ #`;
  }
  if (typeof value !== 'object' || value === null) return scalarProblem(key, value, inArray);
  if (depth > maxDepth) return `the properties are nested deeper than ${maxDepth} levels`;

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
  if (value === null && inArray) return 'an array has a null inside';
  if (typeof value === 'number' && isWrittenAsInteger(value) && (value < minInteger || value > maxInteger)) {
    return `"${key}" is ${value}, outside ${minInteger} to ${maxInteger}`;
  }
  const bytes = typeof value === 'string' ? Buffer.byteLength(value) : 0;
  return bytes > maxStringBytes ? `"${key}" has ${bytes} bytes, more than ${maxStringBytes}` : undefined;
}

// 1e21 is a floating-point number to JSON.NET, and so not limited; 1e20 is written out as an integer.
const isWrittenAsInteger = (value: number): boolean => /^-?\d+$/.test(String(value));

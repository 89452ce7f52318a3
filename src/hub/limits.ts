import { isObject, type Json } from './merge-patch.ts';
import type { OutputMessage } from './session.ts';

// edgeHub rejects patches beyond these: edge-hub/.../twin/ReportedPropertiesValidator.cs of Azure/iotedge.
const maxPatchBytes = 32_768;
const maxDepth = 10;
const maxKeyBytes = 1024;
const maxStringBytes = 4096;
const minInteger = -4_503_599_627_370_496;
const maxInteger = 4_503_599_627_370_495;

// IoT Hub accepts 256 KB, but the properties are percent-encoded, up to three times as long, in the topic, which MQTT
// 3.1.1 section 1.5.3 limits to 65 535 bytes.
const maxMessageBytes = 20_000;

/** Why IoT Hub would reject a patch of reported properties; empty when it would accept it. */
export function limitProblems(patch: Json): string[] {
  const problems: string[] = [];
  const size = bytes(JSON.stringify(patch));
  if (size > maxPatchBytes) problems.push(`the patch has ${size} bytes, the limit is ${maxPatchBytes}`);
  inspect(patch, '', 0, false, problems);
  return problems;
}

/** Why a message is too large to be sent; undefined when it is not. */
export function messageProblem(message: OutputMessage): string | undefined {
  const size = bytes(JSON.stringify(message));
  return size > maxMessageBytes
    ? `the message for ${message.output} has ${size} bytes, the limit is ${maxMessageBytes}`
    : undefined;
}

function inspect(value: unknown, path: string, depth: number, inArray: boolean, problems: string[]): void {
  if (value === null) {
    if (inArray) problems.push(`${path} is null inside an array`);
    return;
  }
  if (typeof value === 'string' && bytes(value) > maxStringBytes) {
    problems.push(`${path} has ${bytes(value)} bytes, the limit is ${maxStringBytes}`);
  }
  if (typeof value === 'number' && !isAllowedNumber(value))
    problems.push(`${path} is ${value}, out of range`);
  if (!isObject(value) && !Array.isArray(value)) return;
  if (depth > maxDepth) {
    problems.push(`${path} is nested deeper than ${maxDepth} levels`);
    return;
  }
  for (const [key, inner] of Object.entries(value)) {
    const innerPath = path ? `${path}/${key}` : key;
    if (!Array.isArray(value) && !isAllowedKey(key))
      problems.push(`the key ${JSON.stringify(innerPath)} is not allowed`);
    inspect(inner, innerPath, depth + 1, inArray || Array.isArray(value), problems);
  }
}

const bytes = (text: string): number => Buffer.byteLength(text);

const isAllowedNumber = (value: number): boolean =>
  Number.isInteger(value) ? value >= minInteger && value <= maxInteger : Number.isFinite(value);

const isAllowedKey = (key: string): boolean =>
  key.length > 0 &&
  bytes(key) <= maxKeyBytes &&
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern finds control characters.
  !/[.$#\s\u0000-\u001f\u007f-\u009f]/.test(key);

const hourMs = 3_600_000;

/** How often something may still happen within an hour. Moments are monotonic milliseconds. */
export interface HourlyBudget {
  /** Whether there is room for one more at a moment. */
  hasRoom(at: number): boolean;
  spend(at: number): void;
  /** When it was spent last; -Infinity if not within the hour. */
  last(): number;
}

export function createHourlyBudget(limit: number): HourlyBudget {
  let spentAt: readonly number[] = [];
  return {
    hasRoom(at) {
      spentAt = spentAt.filter((spent) => at - spent < hourMs);
      return spentAt.length < limit;
    },
    spend(at) {
      spentAt = [...spentAt, at];
    },
    last: () => spentAt.at(-1) ?? Number.NEGATIVE_INFINITY,
  };
}

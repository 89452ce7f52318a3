import { isObject, type Json } from './merge-patch.ts';
import type { OutputMessage } from './session.ts';

// edge-hub/.../twin/ReportedPropertiesValidator.cs of Azure/iotedge. edgeHub refuses a patch beyond these.
const largestPatchBytes = 32_768;
const deepest = 10;
const longestKeyBytes = 1024;
const longestStringBytes = 4096;
const smallestInteger = -4_503_599_627_370_496;
const largestInteger = 4_503_599_627_370_495;

// IoT Hub takes 256 KB, but properties travel percent-encoded, up to three times as long, in the topic, which MQTT
// 3.1.1 section 1.5.3 limits to 65 535 bytes.
const largestMessageBytes = 20_000;

/** What IoT Hub would not take in a patch of reported properties; empty when it is right. */
export function limitProblems(patch: Json): string[] {
  const problems: string[] = [];
  const size = bytes(JSON.stringify(patch));
  if (size > largestPatchBytes)
    problems.push(`the patch has ${size} bytes, at most ${largestPatchBytes} are allowed`);
  inspect(patch, '', 0, false, problems);
  return problems;
}

/** Why a message could never be sent; undefined when it can be. */
export function messageProblem(message: OutputMessage): string | undefined {
  const size = bytes(JSON.stringify(message));
  return size > largestMessageBytes
    ? `the message for ${message.output} has ${size} bytes, at most ${largestMessageBytes} are allowed`
    : undefined;
}

function inspect(value: unknown, path: string, depth: number, inArray: boolean, problems: string[]): void {
  if (value === null) {
    if (inArray) problems.push(`${path} is null inside an array`);
    return;
  }
  if (typeof value === 'string' && bytes(value) > longestStringBytes) {
    problems.push(`${path} has ${bytes(value)} bytes, at most ${longestStringBytes} are allowed`);
  }
  if (typeof value === 'number' && !numberFits(value)) problems.push(`${path} is ${value}, out of range`);
  if (!isObject(value) && !Array.isArray(value)) return;
  if (depth > deepest) {
    problems.push(`${path} is deeper than ${deepest} levels`);
    return;
  }
  for (const [key, inner] of Object.entries(value)) {
    const at = path ? `${path}/${key}` : key;
    if (!Array.isArray(value) && !keyFits(key)) problems.push(`the key ${JSON.stringify(at)} is not allowed`);
    inspect(inner, at, depth + 1, inArray || Array.isArray(value), problems);
  }
}

const bytes = (text: string): number => Buffer.byteLength(text);

const numberFits = (value: number): boolean =>
  Number.isInteger(value) ? value >= smallestInteger && value <= largestInteger : Number.isFinite(value);

const keyFits = (key: string): boolean =>
  key.length > 0 &&
  bytes(key) <= longestKeyBytes &&
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  !/[.$#\s\u0000-\u001f\u007f-\u009f]/.test(key);

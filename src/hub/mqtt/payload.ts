import { isObject, type Json } from '../merge-patch.ts';

// IoT Hub allows 10 levels. Code that handles documents is recursive, and a payload has room for 40 000 levels.
const maxDepth = 64;

/**
 * Parses a JSON object that edgeHub sent. What is nested too deeply is replaced by a text, which no policy accepts.
 * Throws an error that describes what the payload is instead.
 */
export function parseObject(payload: Buffer): Json {
  const text = payload.toString();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${payload.length} bytes that are not valid JSON`, { cause });
  }
  if (!isObject(value)) throw new Error(`${payload.length} bytes of JSON that are no object`);
  return prune(value);
}

/** Level by level, because recursion could overflow the stack. Changes the document, which nothing else refers to. */
function prune(document: Json): Json {
  let level: object[] = [document];
  for (let depth = 1; level.length > 0; depth += 1) {
    const next: object[] = [];
    for (const parent of level) {
      for (const [key, child] of Object.entries(parent)) {
        if (typeof child !== 'object' || child === null) continue;
        if (depth < maxDepth) next.push(child);
        // Not an assignment, which for the key __proto__ would set the prototype.
        else Object.defineProperty(parent, key, { value: `nested deeper than ${maxDepth} levels` });
      }
    }
    level = next;
  }
  return document;
}

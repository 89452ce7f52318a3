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

const maxRefusalLength = 200;

/**
 * Why IoT Hub refused something, from the body of its response: an object with a message and usually a code, which may be
 * the text of another such object; or any text. Undefined for an empty body.
 */
export function refusalText(payload: Buffer): string | undefined {
  let text = payload.toString();
  let code: unknown;
  // Two levels were seen.
  for (let level = 0; level < 3 && text.trimStart().startsWith('{'); level += 1) {
    const body = objectIn(text);
    const message = body.message ?? body.Message;
    code = body.errorCode ?? code;
    if (typeof message !== 'string') break;
    text = message;
  }
  const withCode = typeof code === 'number' && text !== '' ? `${text} (${code})` : text;
  return (
    withCode
      .replaceAll(/[\s\p{Cc}]+/gu, ' ')
      .trim()
      .slice(0, maxRefusalLength) || undefined
  );
}

function objectIn(text: string): Json {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    // Quoted as it is.
    return {};
  }
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

import type { Json } from '../json.ts';

/** A device-to-cloud message as it came in. */
export interface Message {
  /** ISO 8601. */
  readonly enqueuedTime: string;
  /** The output it was sent to; null for a plain event. */
  readonly output: string | null;
  /** Content type, encoding, message id and so on, where the module set them. */
  readonly system: Readonly<Record<string, string>>;
  /** Application properties. */
  readonly properties: Readonly<Record<string, string>>;
  /** The parsed JSON, or the text when it is none. */
  readonly body: Json;
}

// IoT Hub's short names of system properties in an MQTT topic.
const systemNames = new Map([
  ['$.mid', 'messageId'],
  ['$.cid', 'correlationId'],
  ['$.uid', 'userId'],
  ['$.to', 'to'],
  ['$.ct', 'contentType'],
  ['$.ce', 'contentEncoding'],
  ['$.exp', 'expiryTimeUtc'],
  ['$.ifid', 'interfaceId'],
]);

/** Puts a message together from what follows `…/messages/events/` in its topic, and its payload. */
export function parseMessage(propertyBag: string, payload: string, now: Date): Message {
  const all = propertyBag
    .replace(/\/$/, '')
    .split('&')
    .filter((pair) => pair !== '')
    .map(keyAndValue);
  const isSystem = ([key]: [string, string]) => key.startsWith('$.');
  const system = all.filter(isSystem).filter(([key]) => key !== '$.on');
  return {
    enqueuedTime: now.toISOString(),
    output: all.find(([key]) => key === '$.on')?.[1] ?? null,
    system: Object.fromEntries(system.map(([key, value]) => [systemNames.get(key) ?? key, value])),
    properties: Object.fromEntries(all.filter((property) => !isSystem(property))),
    body: jsonOrText(payload),
  };
}

// Not URLSearchParams, which reads + as a blank; IoT Hub's property bags are percent-encoded only.
function keyAndValue(pair: string): [string, string] {
  const at = pair.indexOf('=');
  const [key, value] = at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
  return [decode(key), decode(value)];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function jsonOrText(payload: string): Json {
  try {
    return JSON.parse(payload);
  } catch {
    return payload;
  }
}

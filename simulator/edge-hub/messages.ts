import type { Json } from '../json.ts';
import type { Identity } from '../workload/identity.ts';
import { decode, splitOnce } from './encoding.ts';

/** The kinds of messages from a module, by topic. */
export type Inbound =
  | { readonly kind: 'getTwin'; readonly requestId: string }
  | { readonly kind: 'report'; readonly requestId: string }
  | { readonly kind: 'methodResponse'; readonly requestId: string; readonly status: number }
  | { readonly kind: 'event'; readonly propertyBag: string };

/** Parses the topic of a message from the module; undefined for a topic that is not the module's. */
export function parseTopic(topic: string, { deviceId, moduleId }: Identity): Inbound | undefined {
  const requestId = /[?&]\$rid=([^&]*)/.exec(topic)?.[1] ?? '';
  if (topic.startsWith('$iothub/twin/GET/')) return { kind: 'getTwin', requestId };
  if (topic.startsWith('$iothub/twin/PATCH/properties/reported/')) return { kind: 'report', requestId };

  const status = /^\$iothub\/methods\/res\/(-?\d+)\//.exec(topic)?.[1];
  if (status !== undefined) return { kind: 'methodResponse', requestId, status: Number(status) };

  const events = `devices/${deviceId}/modules/${moduleId}/messages/events`;
  if (topic !== events && !topic.startsWith(`${events}/`)) return undefined;
  return { kind: 'event', propertyBag: topic.slice(events.length + 1) };
}

/** A device-to-cloud message. */
export interface Message {
  /** When edgeHub received it, ISO 8601. */
  readonly enqueuedTime: string;
  /** The module output; null for a message without an output. */
  readonly output: string | null;
  /** System properties by their long names, such as `contentType`. */
  readonly system: Readonly<Record<string, string>>;
  /** Application properties. */
  readonly properties: Readonly<Record<string, string>>;
  /** The parsed JSON, or the text when it is not JSON. */
  readonly body: Json;
}

// IoT Hub's abbreviations of system properties in an MQTT topic.
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

/** Parses a message from its payload and the property bag, the part of its topic after `…/messages/events/`. */
export function parseMessage(propertyBag: string, payload: string, now: Date): Message {
  const all = propertyBag
    .replace(/\/$/, '')
    .split('&')
    .filter((pair) => pair !== '')
    .map(parsePair);
  const isSystem = ([key]: [string, string]) => key.startsWith('$.');
  const system = all.filter(isSystem).filter(([key]) => key !== '$.on');
  return {
    enqueuedTime: now.toISOString(),
    output: all.find(([key]) => key === '$.on')?.[1] ?? null,
    system: Object.fromEntries(system.map(([key, value]) => [systemNames.get(key) ?? key, value])),
    properties: Object.fromEntries(all.filter((property) => !isSystem(property))),
    body: parseJsonOrText(payload),
  };
}

// URLSearchParams would decode + as a space, but property bags are only percent-encoded.
function parsePair(pair: string): [string, string] {
  const [key, value] = splitOnce(pair, '=');
  return [decode(key), decode(value)];
}

function parseJsonOrText(payload: string): Json {
  try {
    return JSON.parse(payload);
  } catch {
    return payload;
  }
}

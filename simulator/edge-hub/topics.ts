import type { Identity } from '../workload/identity.ts';

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

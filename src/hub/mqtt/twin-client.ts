import { randomUUID } from 'node:crypto';
import { isObject, type Json } from '../merge-patch.ts';
import { HubError, PatchRejected, type SessionEvents, type TwinDocument } from '../session.ts';
import { parseObject, refusalText } from './payload.ts';

/** The twin's part of the MQTT topics: `$iothub/twin/`. */
export interface TwinClient {
  /** The first read also subscribes to responses and patches, and waits until edgeHub has acknowledged that. */
  read(): Promise<TwinDocument>;
  /** Rejects with a {@link PatchRejected} when the hub rejected it. */
  update(patch: Json): Promise<void>;
  /** Handles an MQTT message; returns false for other topics. Never throws. */
  receive(topic: string, payload: Buffer): boolean;
}

/** The part of MqttBase that is used. */
export interface Mqtt {
  publish(topic: string, payload: string, options: Options, done: (error?: Error | null) => void): void;
  subscribe(topic: string, options: Options, done: (error?: Error | null) => void): void;
}

interface Options {
  readonly qos: 0;
}

interface Response {
  readonly status: number;
  readonly payload: Buffer;
}

const prefix = '$iothub/twin/';
const responses = `${prefix}res/`;
const patches = `${prefix}PATCH/properties/desired/`;

/**
 * Replaces the SDK's twin, which never subscribes again after edgeHub was recreated, drops the status of responses,
 * merges arrays by index, and throws in its callbacks for malformed payloads, which ends the process.
 */
export function createTwinClient(
  mqtt: Mqtt,
  { onDesired, onMissed }: Pick<SessionEvents, 'onDesired' | 'onMissed'>,
): TwinClient {
  const waiting = new Map<string, (response: Response) => void>();
  let subscribed = false;

  const subscribe = (topic: string) =>
    new Promise<void>((resolve, reject) => {
      mqtt.subscribe(`${topic}#`, { qos: 0 }, (error) => (error ? reject(error) : resolve()));
    });

  const request = (topic: string, payload: string) =>
    new Promise<Response>((resolve, reject) => {
      const id = randomUUID();
      waiting.set(id, resolve);
      mqtt.publish(`${prefix}${topic}/?$rid=${id}`, payload, { qos: 0 }, (error) => {
        if (!error) return;
        waiting.delete(id);
        reject(error);
      });
    });

  return {
    async read() {
      if (!subscribed) await Promise.all([subscribe(responses), subscribe(patches)]);
      subscribed = true;
      const { status, payload } = await request('GET', ' ');
      if (status >= 300)
        throw new HubError('offline', `edgeHub answered the request for the twin with status ${status}`);
      try {
        const { desired, reported } = parseObject(payload);
        return { desired: objectOf(desired), reported: objectOf(reported) };
      } catch (cause) {
        throw new HubError('offline', "edgeHub's answer to the request for the twin cannot be read", cause);
      }
    },
    async update(patch) {
      const { status, payload } = await request('PATCH/properties/reported', JSON.stringify(patch));
      if (status < 300) return;
      const text = refusalText(payload);
      const cause = text === undefined ? undefined : new Error(text);
      const message = `edgeHub rejected the reported properties with status ${status}`;
      throw new PatchRejected(message, cause, status === 429 ? 'throttled' : undefined);
    },
    receive(topic, payload) {
      if (topic.startsWith(responses)) {
        const [, status, id = ''] =
          /^(\d+)\/\?(?:.*&)?\$rid=([^&]*)/.exec(topic.slice(responses.length)) ?? [];
        const resolve = waiting.get(id);
        waiting.delete(id);
        resolve?.({ status: Number(status), payload });
        return true;
      }
      if (topic.startsWith(patches)) {
        try {
          onDesired(parseObject(payload));
        } catch (cause) {
          onMissed(new Error('The pushed desired properties could not be taken over', { cause }));
        }
        return true;
      }
      return topic.startsWith(prefix);
    },
  };
}

const objectOf = (value: unknown): Json => (isObject(value) ? value : {});

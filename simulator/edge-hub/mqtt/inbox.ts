import type { Client, PublishPacket } from 'aedes';

/** edgeHub's MaxInboundMessageSize: the limit of an MQTT packet without its fixed header. */
const maxInboundBytes = 256 * 1024;

/** A message from a client. */
export interface Publication {
  readonly topic: string;
  readonly payload: string;
  /** Aborted when the client's connection closes. */
  readonly signal: AbortSignal;
  /** Publishes to the connection that the message came from, if it is subscribed. */
  reply(topic: string, payload?: string): void;
}

/** Whether the client receives a PUBACK. */
export type Outcome = 'acknowledged' | 'unacknowledged';

/** The messages from one connection. They are processed one after another (MessageAsyncProcessorBase.cs). */
export interface Inbox {
  /** Adds a message. Returns why the connection must be closed instead. */
  receive(packet: PublishPacket): Error | null;
  /** Drops the messages that are not processed yet. */
  close(): void;
}

export function createInbox(
  client: Client,
  process: (publication: Publication) => Promise<Outcome>,
  reply: Publication['reply'],
): Inbox {
  const closing = new AbortController();
  const { signal } = closing;
  let processed = Promise.resolve();

  async function processOne(publication: Publication, { qos, messageId }: Acknowledgement): Promise<void> {
    if (signal.aborted) return;
    const outcome = await process(publication);
    if (qos === 1 && outcome === 'acknowledged' && !signal.aborted) client.conn.write(puback(messageId));
  }

  return {
    receive({ topic, payload, qos, messageId = 0, length = payload.length }) {
      if (qos === 2) return new Error('QoS 2 is not supported');
      if (length > maxInboundBytes) {
        return new Error(`The packet has ${length} bytes, more than the maximum of ${maxInboundBytes}`);
      }
      const publication: Publication = {
        topic,
        payload: payload.toString(),
        signal,
        reply(to, response) {
          if (!signal.aborted) reply(to, response);
        },
      };
      processed = processed
        .then(() => processOne(publication, { qos, messageId }))
        .catch((error: unknown) => {
          if (!signal.aborted) client.emit('error', error);
        });
      return null;
    },
    close: () => closing.abort(),
  };
}

interface Acknowledgement {
  readonly qos: number;
  readonly messageId: number;
}

/** MQTT 3.1.1, section 3.4. */
const puback = (messageId: number): Buffer => Buffer.from([0x40, 2, messageId >> 8, messageId & 0xff]);

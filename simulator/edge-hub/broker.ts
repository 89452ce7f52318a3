import type { TLSSocket } from 'node:tls';
import { Aedes, type Client, type PublishPacket } from 'aedes';
import type { Credentials, Refusal } from './connect.ts';

/** edgeHub's MaxInboundMessageSize: what an MQTT packet may have after its fixed header. */
const maxInboundBytes = 256 * 1024;

/** The MQTT side of edgeHub: connections and sessions, nothing of what the topics mean. */
export interface Broker {
  handle(socket: TLSSocket): void;
  /** Delivers to whoever has subscribed. Nobody having done so is not an error. */
  publish(topic: string, payload?: string): void;
  /** Whether a client is connected that has a subscription starting with `prefix`. */
  subscribed(prefix: string): boolean;
  connectedClients(): number;
  /** Ends every connection and forgets every session. */
  close(): Promise<void>;
}

export interface BrokerEvents {
  /** Decides on a CONNECT. */
  refuse(credentials: Credentials): Refusal | undefined;
  onConnected(clientId: string): void;
  onDisconnected(clientId: string): void;
  onMessage(topic: string, payload: string): void;
  onError(error: Error): void;
}

/** An MQTT 3.1.1 broker that speaks with each client alone: what one publishes never reaches another. */
export async function createBroker(events: BrokerEvents): Promise<Broker> {
  const clients = new Map<string, Client>();
  const aedes = await Aedes.createBroker({
    preConnect(_client, { protocolVersion }, done) {
      if (protocolVersion === 4) return done(null, true);
      done(
        new Error(`The client speaks MQTT protocol level ${protocolVersion}, only 4 (3.1.1) is spoken here`),
        false,
      );
    },
    authenticate(client, username, password, done) {
      const refusal = events.refuse({ clientId: client.id, username, password: password?.toString() });
      if (refusal === undefined) return done(null, true);
      done(Object.assign(new Error(refusal.why), { returnCode: refusal.returnCode }), false);
    },
    authorizePublish(_client, packet, done) {
      const bytes = packet.length ?? packet.payload.length;
      done(
        bytes > maxInboundBytes
          ? new Error(`A packet has ${bytes} bytes, more than ${maxInboundBytes}`)
          : null,
      );
    },
    // A client id on a packet says that it came from a client.
    authorizeForward: (_client, packet) => ('clientId' in packet && packet.clientId ? null : packet),
    published(packet, client, done) {
      if (client !== null) events.onMessage(packet.topic, packet.payload.toString());
      done();
    },
  });
  aedes.on('client', (client) => clients.set(client.id, client));
  aedes.on('clientReady', (client) => events.onConnected(client.id));
  aedes.on('clientDisconnect', (client) => {
    if (clients.get(client.id) === client) clients.delete(client.id);
    events.onDisconnected(client.id);
  });
  aedes.on('clientError', (_client, error) => events.onError(error));
  aedes.on('connectionError', (_client, error) => {
    // A refused CONNECT comes by here too; whoever refused it knows.
    if (!('returnCode' in error)) events.onError(error);
  });

  return {
    handle: (socket) => {
      aedes.handle(socket);
    },
    publish(topic, payload = '') {
      const packet: PublishPacket = { cmd: 'publish', topic, payload, qos: 0, retain: false, dup: false };
      aedes.publish(packet, (error) => {
        if (error) events.onError(error);
      });
    },
    subscribed: (prefix) =>
      [...clients.values()].some((client) => filtersOf(client).some((filter) => filter.startsWith(prefix))),
    connectedClients: () => clients.size,
    close: () => new Promise((resolve) => aedes.close(resolve)),
  };
}

// Restored sessions raise no event of their own, so the client itself is asked; its types leave this out.
const filtersOf = (client: Client): string[] =>
  Object.keys((client as Client & { readonly subscriptions: object }).subscriptions);

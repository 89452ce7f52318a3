import type { TLSSocket } from 'node:tls';
import { Aedes, type Client, type PublishPacket } from 'aedes';
import type { Credentials, Rejection } from './connect.ts';

/** edgeHub's MaxInboundMessageSize: the limit of an MQTT packet without its fixed header. */
const maxInboundBytes = 256 * 1024;

/** The MQTT part of edgeHub: connections and sessions. It does not interpret topics. */
export interface Broker {
  handle(socket: TLSSocket): void;
  /** Publishes to all subscribed clients, if any. */
  publish(topic: string, payload?: string): void;
  /** Whether a connected client has a subscription that starts with `prefix`. */
  hasSubscriber(prefix: string): boolean;
  connectedClients(): number;
  /** Closes all connections and deletes all sessions. */
  close(): Promise<void>;
}

export interface BrokerEvents {
  /** Returns why a CONNECT is rejected; undefined accepts it. */
  authorize(credentials: Credentials): Rejection | undefined;
  onConnected(clientId: string): void;
  onDisconnected(clientId: string): void;
  onMessage(topic: string, payload: string): void;
  onError(error: Error): void;
}

/** Creates an MQTT 3.1.1 broker that never forwards messages from one client to another. */
export async function createBroker(events: BrokerEvents): Promise<Broker> {
  const clients = new Map<string, Client>();
  const aedes = await Aedes.createBroker({
    preConnect(_client, { protocolVersion }, done) {
      if (protocolVersion === 4) return done(null, true);
      done(new Error(`MQTT protocol level ${protocolVersion} is not supported, only 4 (3.1.1)`), false);
    },
    authenticate(client, username, password, done) {
      const rejection = events.authorize({ clientId: client.id, username, password: password?.toString() });
      if (rejection === undefined) return done(null, true);
      done(Object.assign(new Error(rejection.reason), { returnCode: rejection.returnCode }), false);
    },
    authorizePublish(_client, packet, done) {
      const bytes = packet.length ?? packet.payload.length;
      done(
        bytes > maxInboundBytes
          ? new Error(`The packet has ${bytes} bytes, more than the maximum of ${maxInboundBytes}`)
          : null,
      );
    },
    // Only packets published by a client have a client id.
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
    // A rejected CONNECT also raises this event, but is already logged.
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
    hasSubscriber: (prefix) =>
      [...clients.values()].some((client) =>
        subscriptionsOf(client).some((filter) => filter.startsWith(prefix)),
      ),
    connectedClients: () => clients.size,
    close: () => new Promise((resolve) => aedes.close(resolve)),
  };
}

// Restored sessions raise no subscribe event, so this reads the client's own list, which its types do not declare.
const subscriptionsOf = (client: Client): string[] =>
  Object.keys((client as Client & { readonly subscriptions: object }).subscriptions);

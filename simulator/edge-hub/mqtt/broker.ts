import type { Duplex } from 'node:stream';
import { Aedes, type AedesOptions, type Client } from 'aedes';
import type { Credentials, Rejection } from '../connect.ts';
import { createInbox, type Inbox, type Outcome, type Publication } from './inbox.ts';
import { createSessions } from './sessions.ts';

/** The MQTT part of edgeHub: connections and sessions. It does not interpret topics. */
export interface Broker {
  handle(stream: Duplex): void;
  /** Publishes to all connected clients that are subscribed. */
  publish(topic: string, payload: string): void;
  /** Whether a client that is subscribed to this topic is connected. */
  hasSubscriber(topic: string): boolean;
  connectedClients(): number;
  /** Closes the connections for whose credentials a reason is returned. */
  expel(reasonFor: (credentials: Credentials) => string | undefined): void;
  /** Closes all connections and deletes all sessions. */
  close(): Promise<void>;
}

export interface BrokerEvents {
  /** edgeHub's clock. */
  now(): Date;
  /** Returns why a CONNECT is rejected; undefined accepts it. */
  authorize(credentials: Credentials): Rejection | undefined;
  onConnected(clientId: string): void;
  onDisconnected(clientId: string): void;
  /** A client subscribed, or connected again with its subscriptions. */
  onSubscribed(): void;
  /** Resolves once the message is processed. Rejects to close the connection. */
  onMessage(publication: Publication): Promise<Outcome>;
  /** A message to a client was dropped because edgeHub's clock is before its subscription. */
  onDropped(topic: string): void;
  onError(error: Error): void;
}

/** Creates an MQTT 3.1.1 broker that never forwards messages from one client to another. */
export async function createBroker(events: BrokerEvents): Promise<Broker> {
  const sessions = createSessions(events.now);
  const credentials = new WeakMap<Client, Credentials>();
  const inboxes = new Map<Client, Inbox>();

  const send = (client: Client, topic: string, payload = '') => {
    const match = sessions.match(client.id, topic);
    if (match === 'tooOld') events.onDropped(topic);
    if (match !== 'yes') return;
    client.publish({ cmd: 'publish', topic, payload, qos: 0, retain: false, dup: false }, () => undefined);
  };

  const aedes = await Aedes.createBroker({
    ...admission(events, (client, accepted) => {
      credentials.set(client, accepted);
      if (client.clean) sessions.delete(client.id);
    }),
    authorizePublish(client, packet, done) {
      const problem = (client && inboxes.get(client)?.receive(packet)) ?? null;
      // Otherwise Aedes would acknowledge the message before it is processed, and keep a retained one.
      Object.assign(packet, { qos: 0, retain: false });
      done(problem);
    },
    authorizeSubscribe(client, subscription, done) {
      sessions.subscribe(client.id, subscription.topic);
      done(null, subscription);
    },
    // Aedes only forwards what clients publish.
    authorizeForward: (_client, packet) => ('clientId' in packet && packet.clientId ? null : packet),
  });
  aedes.on('client', (client) => {
    inboxes.set(
      client,
      createInbox(client, events.onMessage, (topic, payload) => send(client, topic, payload)),
    );
  });
  aedes.on('clientReady', (client) => {
    events.onConnected(client.id);
    events.onSubscribed();
  });
  aedes.on('subscribe', events.onSubscribed);
  aedes.on('unsubscribe', (filters, client) => {
    for (const filter of filters) sessions.unsubscribe(client.id, filter);
  });
  aedes.on('clientDisconnect', (client) => {
    inboxes.get(client)?.close();
    inboxes.delete(client);
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
    publish(topic, payload) {
      for (const client of inboxes.keys()) send(client, topic, payload);
    },
    hasSubscriber: (topic) => [...inboxes.keys()].some(({ id }) => sessions.match(id, topic) !== 'no'),
    connectedClients: () => inboxes.size,
    expel(reasonFor) {
      for (const client of inboxes.keys()) {
        const accepted = credentials.get(client);
        const reason = accepted && reasonFor(accepted);
        if (reason !== undefined) client.emit('error', new Error(reason));
      }
    },
    close: () => new Promise((resolve) => aedes.close(resolve)),
  };
}

/** How a CONNECT is accepted or rejected. */
const admission = (
  { authorize }: BrokerEvents,
  onAccepted: (client: Client, credentials: Credentials) => void,
): Pick<AedesOptions, 'preConnect' | 'authenticate'> => ({
  preConnect(_client, { protocolVersion }, done) {
    if (protocolVersion === 4) return done(null, true);
    done(new Error(`MQTT protocol level ${protocolVersion} is not supported, only 4 (3.1.1)`), false);
  },
  authenticate(client, username, password, done) {
    const credentials = { clientId: client.id, username, password: password?.toString() };
    const rejection = authorize(credentials);
    if (rejection !== undefined) {
      return done(Object.assign(new Error(rejection.reason), { returnCode: rejection.returnCode }), false);
    }
    onAccepted(client, credentials);
    done(null, true);
  },
});

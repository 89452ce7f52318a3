import type { Json, JsonObject } from '../json.ts';
import type { Counters } from '../metrics/metrics.ts';
import type { DeviceCertificates } from '../workload/certificates.ts';
import type { Identity } from '../workload/identity.ts';
import { type BrokerEvents, createBroker } from './broker.ts';
import { connectRejection } from './connect.ts';
import { applyChange, type FaultChange, type Faults, noFaults } from './faults.ts';
import { createListener } from './listener.ts';
import { type Message, parseMessage, parseTopic } from './messages.ts';
import { createMethods, type MethodResponse } from './methods.ts';
import { createModuleTwin, type TwinDocument } from './module-twin.ts';

/** Beyond this limit the oldest messages are dropped. */
const maxMessages = 1000;

/** A simulated edgeHub and the IoT hub behind it, for one module. */
export interface EdgeHub {
  readonly port: number;
  twin(): TwinDocument;
  /** Merges into the desired properties and pushes the patch to the module. Throws an HttpError 400 if it is invalid. */
  patchDesired(patch: JsonObject): JsonObject;
  /** Rejects with an HttpError: 400 invalid call, 404 not subscribed, 502 invalid response, 504 timeout. */
  invokeMethod(name: string, payload: Json, timeoutSeconds: number): Promise<MethodResponse>;
  messages(): readonly Message[];
  faults(): Faults;
  /** Resolves once the change is in effect. */
  setFaults(change: FaultChange): Promise<Faults>;
  counters(): Counters;
  close(): Promise<void>;
}

export interface EdgeHubOptions {
  readonly identity: Identity;
  /** The module's key, with which the workload API signs. */
  readonly key: Buffer;
  readonly certificates: DeviceCertificates;
  /** The address to listen on. Undefined: all addresses. */
  readonly host: string | undefined;
  readonly port: number;
  readonly desired: JsonObject;
  /** Receives one line per event, without a line break. */
  log(line: string): void;
}

const noCounts = {
  connects: 0,
  refusedConnects: 0,
  disconnects: 0,
  twinReads: 0,
  messages: 0,
  reportedUpdates: 0,
  methods: 0,
};
type Counts = typeof noCounts;

export async function startEdgeHub(options: EdgeHubOptions): Promise<EdgeHub> {
  const { certificates, log } = options;
  const counts = { ...noCounts };
  let faults = noFaults;

  const publish = (topic: string, payload?: string) => broker.publish(topic, payload);
  const twin = createModuleTwin({ desired: options.desired, faults: () => faults, publish, log });
  const methods = createMethods({
    isSubscribed: () => broker.hasSubscriber('$iothub/methods/POST/'),
    publish,
  });
  const inbox = createInbox(options, counts, twin, methods);
  const events: BrokerEvents = {
    ...connectionEvents(options, counts, () => faults),
    onMessage: inbox.onMessage,
  };

  let broker = await createBroker(events);
  const listener = await createListener({
    host: options.host,
    port: options.port,
    issued: certificates.gateway[faults.certificate],
    onConnection: (socket) => broker.handle(socket),
    onHandshakeError: (error) => log(`TLS handshake failed: ${error.message}`),
  }).catch(async (error: unknown) => {
    await broker.close();
    throw error;
  });

  const apply = async (change: FaultChange) => {
    const next = applyChange(faults, change);
    if (next.down && !faults.down) await listener.close();
    if (!next.down && faults.down) await listener.reopen();
    if (next.certificate !== faults.certificate)
      listener.setCertificate(certificates.gateway[next.certificate]);
    faults = next;
    if (change.wipeSessions) {
      const old = broker;
      const recreated = await createBroker(events);
      listener.dropConnections();
      broker = recreated;
      await old.close();
    }
    if (change.dropConnections) listener.dropConnections();
    return faults;
  };
  let lastChange: Promise<unknown> = Promise.resolve();

  return {
    port: listener.port,
    twin: twin.document,
    patchDesired: twin.patchDesired,
    invokeMethod(name, payload, timeoutSeconds) {
      counts.methods += 1;
      return methods.invoke(name, payload, timeoutSeconds);
    },
    messages: () => [...inbox.messages],
    faults: () => faults,
    setFaults(change) {
      // Changes are applied in order, so that closing and reopening the listener cannot overlap.
      const applied = lastChange.then(() => apply(change));
      lastChange = applied.catch(() => undefined);
      return applied;
    },
    counters: () => ({ ...counts, connectedClients: broker.connectedClients() }),
    async close() {
      await lastChange;
      methods.close();
      await broker.close();
      await listener.close();
    },
  };
}

/** Dispatches the messages that the module publishes. */
function createInbox(
  { identity, log }: EdgeHubOptions,
  counts: Counts,
  twin: ReturnType<typeof createModuleTwin>,
  methods: ReturnType<typeof createMethods>,
) {
  const messages: Message[] = [];
  return {
    messages,
    onMessage(topic: string, payload: string) {
      const inbound = parseTopic(topic, identity);
      switch (inbound?.kind) {
        case undefined:
          log(`Dropped a message to "${topic}": not a topic of this module`);
          return;
        case 'getTwin':
          counts.twinReads += 1;
          return twin.onGet(inbound.requestId);
        case 'report':
          counts.reportedUpdates += 1;
          return twin.onReport(inbound.requestId, payload);
        case 'methodResponse':
          return methods.onResponse(inbound.requestId, inbound.status, payload);
        case 'event':
          counts.messages += 1;
          messages.push(parseMessage(inbound.propertyBag, payload, new Date()));
          if (messages.length > maxMessages) messages.shift();
      }
    },
  };
}

function connectionEvents(
  { identity, key, log }: EdgeHubOptions,
  counts: Counts,
  faults: () => Faults,
): Omit<BrokerEvents, 'onMessage'> {
  return {
    authorize(credentials) {
      const rejection = faults().rejectSas
        ? { returnCode: 5 as const, reason: 'the fault "rejectSas" is set' }
        : connectRejection(credentials, identity, key, new Date());
      if (rejection === undefined) return undefined;
      counts.refusedConnects += 1;
      log(`Rejected ${credentials.clientId} with code ${rejection.returnCode}: ${rejection.reason}`);
      return rejection;
    },
    onConnected(clientId) {
      counts.connects += 1;
      log(`Connected: ${clientId}`);
    },
    onDisconnected(clientId) {
      counts.disconnects += 1;
      log(`Disconnected: ${clientId}`);
    },
    onError: (error) => log(`Connection closed: ${error.message}`),
  };
}

import type { Json, JsonObject } from '../json.ts';
import type { Counters } from '../metrics/metrics.ts';
import type { DeviceCertificates } from '../workload/certificates.ts';
import type { Identity } from '../workload/identity.ts';
import { type BrokerEvents, createBroker } from './broker.ts';
import { connectRefusal } from './connect.ts';
import { changed, type FaultChange, type Faults, noFaults } from './faults.ts';
import { createListener } from './listener.ts';
import { type Message, parseMessage } from './messages.ts';
import { createMethods, type MethodAnswer } from './methods.ts';
import { createModuleTwin, type TwinDocument } from './module-twin.ts';
import { parseTopic } from './topics.ts';

/** The oldest messages go first beyond this. */
const maxMessages = 1000;

/** A local edgeHub together with the IoT hub behind it, for one module. */
export interface EdgeHub {
  readonly port: number;
  twin(): TwinDocument;
  /** Merges into the desired properties and pushes to the module. Throws an HttpError 400 beyond the limits. */
  patchDesired(patch: JsonObject): JsonObject;
  /** Asks the module. Rejects with an HttpError: 400, 404 not there, 502 bad answer, 504 no answer. */
  invokeMethod(name: string, payload: Json, timeoutSeconds: number): Promise<MethodAnswer>;
  messages(): readonly Message[];
  faults(): Faults;
  /** Takes a change over; settles when it is in effect. */
  setFaults(change: FaultChange): Promise<Faults>;
  counters(): Counters;
  close(): Promise<void>;
}

export interface EdgeHubOptions {
  readonly identity: Identity;
  /** The module's key; what the workload API signs with. */
  readonly key: Buffer;
  readonly certificates: DeviceCertificates;
  /** Undefined for every address of the machine. */
  readonly host: string | undefined;
  readonly port: number;
  readonly desired: JsonObject;
  /** One line for each thing an operator of the simulator may wonder about. */
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

/** Starts edgeHub. */
export async function startEdgeHub(options: EdgeHubOptions): Promise<EdgeHub> {
  const { certificates, log } = options;
  const counts = { ...noCounts };
  let faults = noFaults;

  const publish = (topic: string, payload?: string) => broker.publish(topic, payload);
  const twin = createModuleTwin({ desired: options.desired, faults: () => faults, publish, log });
  const methods = createMethods({
    listening: () => broker.subscribed('$iothub/methods/POST/'),
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
    const next = changed(faults, change);
    if (next.down && !faults.down) await listener.down();
    if (!next.down && faults.down) await listener.up();
    if (next.certificate !== faults.certificate) listener.present(certificates.gateway[next.certificate]);
    faults = next;
    if (change.wipeSessions) {
      const old = broker;
      const recreated = await createBroker(events);
      listener.drop();
      broker = recreated;
      await old.close();
    }
    if (change.dropConnections) listener.drop();
    return faults;
  };
  let settled: Promise<unknown> = Promise.resolve();

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
      // One after the other, so that down and up cannot overtake each other.
      const applied = settled.then(() => apply(change));
      settled = applied.catch(() => undefined);
      return applied;
    },
    counters: () => ({ ...counts, connectedClients: broker.connectedClients() }),
    async close() {
      await settled;
      methods.close();
      await broker.close();
      await listener.down();
    },
  };
}

/** Sorts what the module publishes. */
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
          log(`a message to "${topic}" is dropped: edgeHub has no such topic for this module`);
          return;
        case 'getTwin':
          counts.twinReads += 1;
          return twin.onGet(inbound.requestId);
        case 'report':
          counts.reportedUpdates += 1;
          return twin.onReport(inbound.requestId, payload);
        case 'methodAnswer':
          return methods.answered(inbound.requestId, inbound.status, payload);
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
    refuse(credentials) {
      const refusal = faults().rejectSas
        ? { returnCode: 5 as const, why: 'the switch "rejectSas" is on' }
        : connectRefusal(credentials, identity, key, new Date());
      if (refusal === undefined) return undefined;
      counts.refusedConnects += 1;
      log(`${credentials.clientId} refused with code ${refusal.returnCode}: ${refusal.why}`);
      return refusal;
    },
    onConnected(clientId) {
      counts.connects += 1;
      log(`${clientId} connected`);
    },
    onDisconnected(clientId) {
      counts.disconnects += 1;
      log(`${clientId} disconnected`);
    },
    onError: (error) => log(`connection ended: ${error.message}`),
  };
}

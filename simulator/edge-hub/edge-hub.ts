import type { Json, JsonObject } from '../json.ts';
import type { Counters } from '../metrics/metrics.ts';
import type { DeviceCertificates } from '../workload/certificates.ts';
import type { Identity } from '../workload/identity.ts';
import { connectRejection } from './connect.ts';
import { applyChange, type FaultChange, type Faults, noFaults } from './faults.ts';
import { createMessageStore, type MessageStore } from './message-store.ts';
import { type Message, parseMessage, parseTopic } from './messages.ts';
import { createMethods, type MethodResponse, type Methods, type MethodTimeouts } from './methods.ts';
import { createModuleTwin, type ModuleTwin, type TwinDocument } from './module-twin.ts';
import type { BrokerEvents } from './mqtt/broker.ts';
import type { Outcome, Publication } from './mqtt/inbox.ts';
import { startMqttServer } from './mqtt/server.ts';

/** A simulated edgeHub and the IoT hub behind it, for one module. */
export interface EdgeHub {
  readonly port: number;
  twin(): TwinDocument;
  /** Merges into the desired properties and pushes the patch to the module. Throws an HttpError 400 if it is invalid. */
  patchDesired(patch: JsonObject): JsonObject;
  /** Rejects with an HttpError: 400 invalid call, 404 not subscribed, 502 invalid response, 504 timeout. */
  invokeMethod(name: string, payload: Json, timeouts: MethodTimeouts): Promise<MethodResponse>;
  /** The messages that reached IoT Hub. */
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
  const { identity, key, log } = options;
  const counts = { ...noCounts };
  let faults = noFaults;
  const now = () => new Date(Date.now() + faults.clockOffsetSeconds * 1000);

  const publish = (topic: string, payload: string) => server.broker().publish(topic, payload);
  const pushDesired = (payload: string, version: number) =>
    publish(`$iothub/twin/PATCH/properties/desired/?$version=${version}`, payload);
  const twin = createModuleTwin({ desired: options.desired, faults: () => faults, pushDesired, log });
  const store = createMessageStore(() => faults);
  const methods = createMethods({
    isSubscribed: () => server.broker().hasSubscriber('$iothub/methods/POST/name/'),
    publish,
    delaySeconds: () => faults.methodDelaySeconds,
  });
  const server = await startMqttServer({
    ...options,
    events: {
      ...connectionEvents(options, counts, () => faults, now),
      onSubscribed: methods.onSubscribed,
      onMessage: createDispatcher({ ...options, counts, twin, store, methods, faults: () => faults, now }),
    },
  });
  const reauthentication = createReauthentication(() =>
    server.broker().expel((credentials) => connectRejection(credentials, identity, key, now())?.reason),
  );
  reauthentication.repeatEvery(faults.reauthenticationSeconds);

  const apply = async (change: FaultChange) => {
    const before = faults;
    const after = applyChange(before, change);
    await server.apply(before, after, change);
    faults = after;
    if (after.reauthenticationSeconds !== before.reauthenticationSeconds)
      reauthentication.repeatEvery(after.reauthenticationSeconds);
    twin.onFaultsChanged(before);
    store.forward();
    if (change.pushDesired !== undefined) pushDesired(change.pushDesired, 0);
    return faults;
  };
  let lastChange: Promise<unknown> = Promise.resolve();

  return {
    port: server.port,
    twin: twin.document,
    patchDesired: twin.patchDesired,
    invokeMethod(name, payload, timeouts) {
      counts.methods += 1;
      return methods.invoke(name, payload, timeouts);
    },
    messages: store.forwarded,
    faults: () => faults,
    setFaults(change) {
      // Changes are applied in order, so that closing and reopening the listener cannot overlap.
      const applied = lastChange.then(() => apply(change));
      lastChange = applied.catch(() => undefined);
      return applied;
    },
    counters: () => ({
      ...counts,
      connectedClients: server.broker().connectedClients(),
      queuedMessages: store.waiting(),
    }),
    async close() {
      await lastChange;
      reauthentication.stop();
      methods.close();
      twin.close();
      await server.close();
    },
  };
}

/** edgeHub closes connections whose token expired, but only at intervals (ConnectionReauthenticator.cs). */
function createReauthentication(reauthenticate: () => void) {
  let timer: NodeJS.Timeout | undefined;
  return {
    repeatEvery(seconds: number) {
      clearInterval(timer);
      timer = setInterval(reauthenticate, seconds * 1000).unref();
    },
    stop: () => clearInterval(timer),
  };
}

interface Parts {
  readonly identity: Identity;
  readonly counts: Counts;
  readonly twin: ModuleTwin;
  readonly store: MessageStore;
  readonly methods: Methods;
  faults(): Faults;
  now(): Date;
  log(line: string): void;
}

/** Processes the messages that the module publishes. */
function createDispatcher({ identity, counts, twin, store, methods, faults, now, log }: Parts) {
  return async (publication: Publication): Promise<Outcome> => {
    const { topic, payload } = publication;
    const inbound = parseTopic(topic, identity);
    switch (inbound?.kind) {
      case undefined:
        log(`Dropped a message to "${topic}": not a topic of this module`);
        break;
      case 'getTwin':
        counts.twinReads += 1;
        await twin.onGet(inbound.requestId, publication);
        break;
      case 'report':
        counts.reportedUpdates += 1;
        twin.onReport(inbound.requestId, publication);
        break;
      case 'methodResponse':
        methods.onResponse(inbound.requestId, inbound.status, payload);
        break;
      case 'event': {
        counts.messages += 1;
        const { messages } = faults();
        if (messages === 'closes') throw new Error('the fault "messages" is set');
        if (messages === 'unacknowledged') return 'unacknowledged';
        store.add(parseMessage(inbound.propertyBag, payload, now()));
      }
    }
    return 'acknowledged';
  };
}

function connectionEvents(
  { identity, key, log }: EdgeHubOptions,
  counts: Counts,
  faults: () => Faults,
  now: () => Date,
): Omit<BrokerEvents, 'onMessage' | 'onSubscribed'> {
  return {
    now,
    authorize(credentials) {
      const { rejectSas, full } = faults();
      const rejection =
        (rejectSas && { returnCode: 5 as const, reason: 'the fault "rejectSas" is set' }) ||
        connectRejection(credentials, identity, key, now()) ||
        (full && { returnCode: 3 as const, reason: 'the fault "full" is set' });
      if (!rejection) return undefined;
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
    onDropped: (topic) => log(`Not sent to ${topic}: edgeHub's clock is before the module's subscription`),
    onError: (error) => log(`Connection closed: ${error.message}`),
  };
}

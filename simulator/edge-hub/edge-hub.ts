import type { Json, JsonObject } from '../json.ts';
import type { Counters } from '../metrics/metrics.ts';
import type { DeviceCertificates } from '../workload/certificates.ts';
import type { Identity } from '../workload/identity.ts';
import { connectRejection } from './connect.ts';
import { type Counts, createDispatcher } from './dispatcher.ts';
import { applyChange, type FaultChange, type Faults, noFaults } from './faults.ts';
import { createMessageStore } from './message-store.ts';
import type { Message } from './messages.ts';
import { createMethods, type MethodResponse, type MethodTimeouts } from './methods.ts';
import { createModuleTwin, type TwinDocument } from './module-twin.ts';
import type { BrokerEvents } from './mqtt/broker.ts';
import { startMqttServer } from './mqtt/server.ts';

/** A simulated edgeHub and the IoT hub behind it, for one module. */
export interface EdgeHub {
  readonly port: number;
  readonly webSocketPort: number | undefined;
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
  /** The port of MQTT over WebSocket. Undefined: none. */
  readonly webSocketPort?: number | undefined;
  readonly desired: JsonObject;
  /** Receives one line per event, without a line break. */
  log(line: string): void;
}

export async function startEdgeHub(options: EdgeHubOptions): Promise<EdgeHub> {
  const { identity, key, log } = options;
  const counts: Counts = {
    connects: 0,
    refusedConnects: 0,
    disconnects: 0,
    twinReads: 0,
    messages: 0,
    unroutedMessages: 0,
    reportedUpdates: 0,
    methods: 0,
    offlineCount: 0,
    onlineCount: 1,
    offlineSeconds: 0,
  };
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
    webSocketPort: options.webSocketPort,
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

  const countLosses = createLossCounter(counts);
  const apply = async (change: FaultChange) => {
    const before = faults;
    const after = applyChange(before, change);
    faults = after;
    await server.apply(before, after, change).catch((error: unknown) => {
      faults = before;
      throw error;
    });
    if (after.reauthenticationSeconds !== before.reauthenticationSeconds)
      reauthentication.repeatEvery(after.reauthenticationSeconds);
    countLosses(isOffline(after));
    twin.onFaultsChanged(before);
    store.forward();
    if (change.pushDesired !== undefined) twin.push(change.pushDesired);
    return faults;
  };
  let lastChange: Promise<unknown> = Promise.resolve();

  return {
    port: server.port,
    webSocketPort: server.webSocketPort,
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

/** Counts how often and for how long IoT Hub is away (DeviceConnectivityManager.cs). */
function createLossCounter(counts: Counts): (isAway: boolean) => void {
  let awaySince: number | undefined;
  return (isAway) => {
    if (isAway === (awaySince !== undefined)) return;
    if (awaySince === undefined) {
      counts.offlineCount += 1;
      awaySince = performance.now();
      return;
    }
    counts.onlineCount += 1;
    counts.offlineSeconds += (performance.now() - awaySince) / 1000;
    awaySince = undefined;
  };
}

/** Without IoT Hub, edgeHub has a stored twin or none. */
const isOffline = ({ twin }: Faults): boolean => twin === 'stored' || twin === 'offline';

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

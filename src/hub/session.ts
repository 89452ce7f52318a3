import iotDevice, { type Twin } from 'azure-iot-device';
import { isObject, type Json } from './merge-patch.ts';
import { createTransport, type Methods } from './transport.ts';

/** A twin as the hub stores it. The SDK's own copy merges arrays by index, and pushed patches into a twin being read. */
export interface TwinDocument {
  readonly desired: Json;
  readonly reported: Json;
}

/** A message for a route: a body that is sent as JSON, and application properties to filter by. */
export interface OutputMessage {
  readonly output: string;
  readonly body: unknown;
  readonly properties: Readonly<Record<string, string>>;
}

/** One connection to edgeHub, from open to close. It never reconnects: a new session replaces it. */
export interface Session {
  readTwin(): Promise<TwinDocument>;
  /** Resolves once the hub has acknowledged the patch; rejects with a {@link PatchRejected} when the hub rejected it. */
  update(patch: Json): Promise<void>;
  send(message: OutputMessage): Promise<void>;
  /** Closes the connection; destroys it when the signal fires first. */
  close(signal: AbortSignal): Promise<void>;
}

export interface SessionEvents {
  /** A patch of the desired properties, `$version` included. */
  onDesired(patch: Json): void;
  /** The connection was lost. */
  onEnd(error: Error): void;
  onError(error: unknown): void;
}

/** The part of a logger that is used; an error goes under `err`. */
export interface HubLog {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

/** Opens a session that handles these methods. The signal ends the attempt. */
export type OpenSession = (methods: Methods, events: SessionEvents, signal: AbortSignal) => Promise<Session>;

export class PatchRejected extends Error {
  override readonly name = 'PatchRejected';
}

// `keepConnected` opens new sessions; the SDK would reconnect without its subscriptions.
const neverRetry = { shouldRetry: () => false, nextRetryTimeout: () => 0 };

/** Opens a session with the SDK, as configured by edgeAgent's environment variables. Without deadlines of its own. */
export const openSession: OpenSession = async (methods, { onDesired, onEnd, onError }, signal) => {
  const { Transport, cut, beforeRenewal, lastTwin, lastStatus } = createTransport(methods, onError);
  const client = await iotDevice.ModuleClient.fromEnvironment(Transport);
  client.setRetryPolicy(neverRetry);
  client.on('error', onError);
  client.on('disconnect', (event?: { transportObj?: Error }) => {
    onEnd(new Error('The connection to edgeHub was lost', { cause: event?.transportObj }));
  });
  await cutOnAbort(signal, cut, () => client.open()).catch((error: unknown) => {
    throw new Error('Could not open the connection to edgeHub', {
      cause: signal.aborted ? signal.reason : actualError(error),
    });
  });
  // This only subscribes: the transport responds to every method itself.
  for (const name of Object.keys(methods)) client.onMethod(name, () => {});
  let twin: Twin | undefined;

  async function readTwin(): Promise<TwinDocument> {
    const listening = twin !== undefined;
    twin = await client.getTwin();
    if (!listening) {
      twin.on('error', onError);
      twin.on('properties.desired', (patch: unknown) => {
        if (isObject(patch)) onDesired(structuredClone(patch));
      });
      // Read again after subscribing to patches: one pushed in between would be lost.
      twin = await client.getTwin();
    }
    const { desired, reported } = lastTwin() ?? {};
    return { desired: isObject(desired) ? desired : {}, reported: isObject(reported) ? reported : {} };
  }

  const update = (patch: Json) =>
    new Promise<void>((resolve, reject) => {
      if (!twin) throw new Error('The twin must be read before it is written');
      twin.properties.reported.update(patch, (error: Error | null | undefined) => {
        if (error) reject(new Error('Could not update the reported properties', { cause: error }));
        else if (lastStatus() >= 300) {
          reject(new PatchRejected(`The hub rejected the reported properties with status ${lastStatus()}`));
        } else resolve();
      });
    });
  async function send({ output, body, properties }: OutputMessage): Promise<void> {
    const message = new iotDevice.Message(JSON.stringify(body));
    message.contentType = 'application/json';
    message.contentEncoding = 'utf-8';
    for (const [key, value] of Object.entries(properties)) message.properties.add(key, value);
    await client.sendOutputEvent(output, message);
  }

  return {
    readTwin: () => beforeRenewal(readTwin()),
    update: (patch) => beforeRenewal(update(patch)),
    send: (message) => beforeRenewal(send(message)),
    async close(signal) {
      client.removeAllListeners('disconnect');
      await cutOnAbort(signal, cut, () => client.close());
    },
  };
};

/** The SDK reports every failed first connection as unauthorized, with the actual error inside the message. */
function actualError(error: unknown): unknown {
  const why =
    error instanceof Error
      ? /Failure on first connection \(Not authorized\): (.+?)(?: error)?$/.exec(error.message)?.[1]
      : undefined;
  return why === undefined
    ? error
    : new Error(why, { cause: error instanceof Error ? error.cause : undefined });
}

/** Runs work; when the signal fires meanwhile, destroys the connection and rejects with the signal's reason. */
async function cutOnAbort(signal: AbortSignal, cut: () => void, work: () => Promise<unknown>): Promise<void> {
  signal.addEventListener('abort', cut);
  try {
    await work();
  } finally {
    signal.removeEventListener('abort', cut);
    // Takes precedence over the SDK's error for the destroyed connection.
    signal.throwIfAborted();
  }
}

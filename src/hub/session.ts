import iotDevice, { type Twin } from 'azure-iot-device';
import { isObject, type Json } from './merge-patch.ts';
import { createTransport, type Methods } from './transport.ts';

/** A twin as the hub holds it. The SDK's own copy merges arrays by index, and what is pushed into what is read. */
export interface TwinDocument {
  readonly desired: Json;
  readonly reported: Json;
}

/** A message for a route: its body as JSON, its application properties to filter by. */
export interface OutputMessage {
  readonly output: string;
  readonly body: unknown;
  readonly properties: Readonly<Record<string, string>>;
}

/** One connection to edgeHub, from open to its end. It never reconnects: a new session takes its place. */
export interface Session {
  readTwin(): Promise<TwinDocument>;
  /** Resolves once the hub has acknowledged the patch; rejects with a {@link PatchRefused} when it does not want it. */
  update(patch: Json): Promise<void>;
  send(message: OutputMessage): Promise<void>;
  /** Ends the connection in good order; cuts it when the signal fires first. */
  close(signal: AbortSignal): Promise<void>;
}

/** Who hears of what a session brings. */
export interface SessionEvents {
  /** A patch of the desired properties, `$version` included. */
  onDesired(patch: Json): void;
  /** The connection is gone. */
  onEnd(error: Error): void;
  onError(error: unknown): void;
}

/** The part of a logger that is used; an error goes under `err`. */
export interface HubLog {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

/** Opens a session that answers these methods. The signal cuts a connection that is being made. */
export type OpenSession = (methods: Methods, events: SessionEvents, signal: AbortSignal) => Promise<Session>;

/** The hub has answered that it does not take a patch. */
export class PatchRefused extends Error {
  override readonly name = 'PatchRefused';
}

// Sessions are renewed from outside, at our own pace; the SDK would go on with lost subscriptions.
const neverRetry = { shouldRetry: () => false, nextRetryTimeout: () => 0 };

/** Opens a session as edgeAgent's environment says, by the SDK. Nothing in it has a deadline of its own. */
export const openSession: OpenSession = async (methods, { onDesired, onEnd, onError }, signal) => {
  const { Transport, cut, asking, twinAnswer, twinStatus } = createTransport(methods, onError);
  const client = await iotDevice.ModuleClient.fromEnvironment(Transport);
  client.setRetryPolicy(neverRetry);
  client.on('error', onError);
  client.on('disconnect', (event?: { transportObj?: Error }) => {
    onEnd(new Error('The connection to edgeHub was lost', { cause: event?.transportObj }));
  });
  await cutting(signal, cut, () => client.open()).catch((error: unknown) => {
    throw new Error('Could not open the connection to edgeHub', {
      cause: signal.aborted ? signal.reason : asItWas(error),
    });
  });
  // The transport answers every method itself; this subscribes to them.
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
      // Read again now that patches are subscribed to: one in between would be lost.
      twin = await client.getTwin();
    }
    const { desired, reported } = twinAnswer() ?? {};
    return { desired: isObject(desired) ? desired : {}, reported: isObject(reported) ? reported : {} };
  }

  const update = (patch: Json) =>
    new Promise<void>((resolve, reject) => {
      if (!twin) throw new Error('The twin must be read before it is written');
      twin.properties.reported.update(patch, (error: Error | null | undefined) => {
        if (error) reject(new Error('Could not update the reported properties', { cause: error }));
        else if (twinStatus() >= 300) {
          reject(new PatchRefused(`The hub refused the reported properties with status ${twinStatus()}`));
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
    readTwin: () => asking(readTwin()),
    update: (patch) => asking(update(patch)),
    send: (message) => asking(send(message)),
    async close(signal) {
      client.removeAllListeners('disconnect');
      await cutting(signal, cut, () => client.close());
    },
  };
};

/** The SDK calls every failure of a first connection unauthorized; what it really was follows in its message. */
function asItWas(error: unknown): unknown {
  const why =
    error instanceof Error
      ? /Failure on first connection \(Not authorized\): (.+?)(?: error)?$/.exec(error.message)?.[1]
      : undefined;
  return why === undefined
    ? error
    : new Error(why, { cause: error instanceof Error ? error.cause : undefined });
}

/** Does work, and cuts the connection should the signal fire meanwhile, with whose reason it then rejects. */
async function cutting(signal: AbortSignal, cut: () => void, work: () => Promise<unknown>): Promise<void> {
  signal.addEventListener('abort', cut);
  try {
    await work();
  } finally {
    signal.removeEventListener('abort', cut);
    // Goes before whatever the SDK makes of a connection that was cut.
    signal.throwIfAborted();
  }
}

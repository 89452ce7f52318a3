import { EventEmitter } from 'node:events';
import iotDevice, { type DeviceTransport, type MethodMessage } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
import { MqttBase } from 'azure-iot-mqtt-base';

/** Handlers of direct methods, by name. `payload` is parsed JSON, or undefined for an empty body. */
export type Methods = Readonly<Record<string, (payload: unknown) => Promise<MethodAnswer>>>;

/** `status` is an HTTP status; `payload` is sent as JSON. */
export interface MethodAnswer {
  readonly status: number;
  readonly payload: unknown;
}

/** The part of MQTT.js's client that is used. */
interface MqttClient {
  readonly stream: { destroy(): void };
}

/** IoT Hub accepts 128 KB; the rest is for the envelope of the response. */
const maxAnswerBytes = 120 * 1024;

/**
 * The SDK's MQTT transport without four of its defects: it drops the status of twin responses, so a patch that edgeHub
 * rejects with an empty 400 looks accepted; it does not respond to unknown methods; a token that cannot be renewed
 * crashes the process; and renewing a token loses responses under way.
 */
export function createTransport(methods: Methods, onError: (error: unknown) => void) {
  const base = new MqttBase();
  let status = 0;
  let pending: Promise<unknown> = Promise.resolve();
  let lastTwin: { readonly desired: unknown; readonly reported: unknown } | undefined;

  // The SDK reconnects for each token. It queues requests made meanwhile, but loses the responses to earlier ones.
  const renew = base.updateSharedAccessSignature.bind(base);
  base.updateSharedAccessSignature = (token, done) => void pending.then(() => renew(token, done));

  class Transport extends Mqtt {
    constructor(provider: ConstructorParameters<typeof Mqtt>[0]) {
      // Registered before super(), so it runs before the SDK's listener, which calls back synchronously.
      base.on('message', (topic: string) => {
        status = Number(/^\$iothub\/twin\/res\/(\d+)\//.exec(topic)?.[1] ?? status);
      });
      super(provider, base);
      // Emitted when a token cannot be renewed; without a listener the error would end the process.
      if (provider instanceof EventEmitter) {
        provider.on('error', (error: unknown) => this.emit('disconnect', error));
      }
    }

    override getTwin(callback: Parameters<Mqtt['getTwin']>[0]): void {
      super.getTwin((error, twin) => {
        lastTwin = twin;
        // The SDK continues with an undefined twin, and its exception would end the process.
        if (error || twin) callback(error, twin);
        else callback(new Error(`edgeHub answered the request for the twin with status ${status}`));
      });
    }

    override emit(event: string | symbol, ...args: unknown[]): boolean {
      if (typeof event !== 'string' || !event.startsWith('method_')) return super.emit(event, ...args);
      const message = args[0] as MethodMessage;
      const response = new iotDevice.DeviceMethodResponse(
        message.requestId,
        this as unknown as DeviceTransport,
      );
      answer(methods, message)
        .then(({ status, payload }) => response.send(status, payload))
        .catch(onError);
      return true;
    }
  }

  return {
    Transport,
    /** Destroys the connection; the SDK would wait for edgeHub to close it. */
    cut: () => (base as unknown as { _mqttClient?: MqttClient })._mqttClient?.stream.destroy(),
    /** Delays the renewal of the token until this request has settled; returns the same promise. */
    beforeRenewal<T>(request: Promise<T>): Promise<T> {
      // The results are dropped; otherwise each promise would keep all earlier ones in memory.
      pending = Promise.allSettled([pending, request]).then(() => undefined);
      return request;
    },
    /** The twin in the last response, before the SDK merges it with pushed patches. */
    lastTwin: () => lastTwin,
    /** The status of the last twin response. Only valid in the callback of that response. */
    lastStatus: () => status,
  };
}

async function answer(
  methods: Methods,
  { methods: { methodName }, body }: MethodMessage,
): Promise<MethodAnswer> {
  const method = Object.entries(methods).find(([name]) => name === methodName)?.[1];
  if (!method) {
    return failure(404, `Unknown method ${methodName}. Available: ${Object.keys(methods).join(', ')}`);
  }
  const text = body?.toString() ?? '';
  let payload: unknown;
  try {
    payload = text === '' ? undefined : JSON.parse(text);
  } catch {
    return failure(400, 'The payload is not valid JSON');
  }
  try {
    const result = await method(payload);
    const bytes = Buffer.byteLength(JSON.stringify(result.payload) ?? '');
    if (bytes > maxAnswerBytes)
      return failure(500, `The response has ${bytes} bytes, the limit is ${maxAnswerBytes}`);
    return result;
  } catch (error) {
    return failure(500, error instanceof Error ? error.message : String(error));
  }
}

const failure = (status: number, error: string): MethodAnswer => ({ status, payload: { error } });

import { EventEmitter } from 'node:events';
import iotDevice, { type DeviceTransport, type MethodMessage } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
import { MqttBase } from 'azure-iot-mqtt-base';

/** Answers a direct method. `payload` is JSON, undefined for an empty body. */
export type Methods = Readonly<Record<string, (payload: unknown) => Promise<MethodAnswer>>>;

/** `status` as HTTP has it; `payload` becomes JSON. */
export interface MethodAnswer {
  readonly status: number;
  readonly payload: unknown;
}

/** What there is of MQTT.js below the SDK. */
interface MqttClient {
  readonly stream: { destroy(): void };
}

/** IoT Hub takes 128 KB; some room is left for the answer's envelope. */
const largestAnswerBytes = 120 * 1024;

/**
 * The SDK's MQTT transport with what it leaves out: the status of a twin answer, which it drops, so that a patch
 * edgeHub refuses with an empty 400 looks accepted; an answer to methods nobody listens to; the end of a session
 * whose token cannot be renewed; and renewals that wait for answers.
 */
export function createTransport(methods: Methods, onError: (error: unknown) => void) {
  const base = new MqttBase();
  let status = 0;
  let underWay: Promise<unknown> = Promise.resolve();
  let answered: { readonly desired: unknown; readonly reported: unknown } | undefined;

  // The SDK connects anew for each token. It holds back what is asked meanwhile, but loses the answer to what was asked
  // before.
  const renew = base.updateSharedAccessSignature.bind(base);
  base.updateSharedAccessSignature = (token, done) => void underWay.then(() => renew(token, done));

  class Transport extends Mqtt {
    constructor(provider: ConstructorParameters<typeof Mqtt>[0]) {
      // Before super(): this listener then runs ahead of the SDK's, which calls back at once.
      base.on('message', (topic: string) => {
        status = Number(/^\$iothub\/twin\/res\/(\d+)\//.exec(topic)?.[1] ?? status);
      });
      super(provider, base);
      // A token that cannot be renewed; with nobody listening the error would end the process.
      if (provider instanceof EventEmitter) {
        provider.on('error', (error: unknown) => this.emit('disconnect', error));
      }
    }

    override getTwin(callback: Parameters<Mqtt['getTwin']>[0]): void {
      super.getTwin((error, twin) => {
        answered = twin;
        // The SDK goes on with a twin that is undefined, and its exception would end the process.
        if (error || twin) callback(error, twin);
        else callback(new Error(`edgeHub answered the request for the twin with status ${status}`));
      });
    }

    override emit(event: string | symbol, ...given: unknown[]): boolean {
      if (typeof event !== 'string' || !event.startsWith('method_')) return super.emit(event, ...given);
      const message = given[0] as MethodMessage;
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
    /** Cuts the connection, where the SDK would wait for edgeHub to end it. */
    cut: () => (base as unknown as { _mqttClient?: MqttClient })._mqttClient?.stream.destroy(),
    /** Work in which edgeHub is asked: until it is over, no token is renewed. */
    asking<T>(work: Promise<T>): Promise<T> {
      // What they settle with is let go of: kept, each would hold all that went before it.
      underWay = Promise.allSettled([underWay, work]).then(() => undefined);
      return work;
    },
    /** The twin of the last answer, before the SDK mixes it with what is pushed meanwhile. */
    twinAnswer: () => answered,
    /** The status of the last twin answer. Read in the very callback it belongs to, it is that answer's. */
    twinStatus: () => status,
  };
}

async function answer(
  methods: Methods,
  { methods: { methodName }, body }: MethodMessage,
): Promise<MethodAnswer> {
  const method = Object.entries(methods).find(([name]) => name === methodName)?.[1];
  if (!method) {
    return failure(404, `There is no method ${methodName}; there is ${Object.keys(methods).join(', ')}`);
  }
  const text = body?.toString() ?? '';
  let payload: unknown;
  try {
    payload = text === '' ? undefined : JSON.parse(text);
  } catch {
    return failure(400, 'The payload is not JSON');
  }
  try {
    const given = await method(payload);
    const bytes = Buffer.byteLength(JSON.stringify(given.payload) ?? '');
    if (bytes > largestAnswerBytes)
      return failure(500, `The answer has ${bytes} bytes, too many for IoT Hub`);
    return given;
  } catch (error) {
    return failure(500, error instanceof Error ? error.message : String(error));
  }
}

const failure = (status: number, error: string): MethodAnswer => ({ status, payload: { error } });

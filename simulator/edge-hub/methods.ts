import { HttpError } from '../http.ts';
import type { Json } from '../json.ts';
import { createWaiters } from './waiters.ts';

export interface MethodResponse {
  readonly status: number;
  readonly payload: Json;
}

/** How long to wait for a module to subscribe, and then for its response. */
export interface MethodTimeouts {
  readonly connectSeconds: number;
  readonly responseSeconds: number;
}

/** IoT Hub's limit for the payload of a method call and of its response. */
const maxPayloadBytes = 128 * 1024;

/** Invokes direct methods and waits for their responses. */
export interface Methods {
  /** Rejects with an {@link HttpError}: 400 invalid call, 404 not subscribed, 502 invalid response, 504 timeout. */
  invoke(name: string, payload: Json, timeouts: MethodTimeouts): Promise<MethodResponse>;
  /** The module may have subscribed: soon sends the calls that wait for it. */
  onSubscribed(): void;
  /** Settles the call that the module's response belongs to. */
  onResponse(requestId: string, status: number, payload: string): void;
  /** Rejects all pending calls with 503. */
  close(): void;
}

export interface MethodsOptions {
  /** Whether the module is connected and subscribed to methods. */
  isSubscribed(): boolean;
  publish(topic: string, payload: string): void;
  /** The time from subscribing to sending the calls that waited. */
  delaySeconds(): number;
}

export function createMethods({ isSubscribed, publish, delaySeconds }: MethodsOptions): Methods {
  const responses = createWaiters<MethodResponse>();
  const subscriptions = createWaiters<void>();
  let invocations = 0;

  return {
    async invoke(name, payload, { connectSeconds, responseSeconds }) {
      if (!/^[^\s/+#?]+$/.test(name)) throw new HttpError(400, `"${name}" is not a valid method name`);
      const text = JSON.stringify(payload);
      const bytes = Buffer.byteLength(text);
      if (bytes > maxPayloadBytes) {
        throw new HttpError(
          400,
          `The payload has ${bytes} bytes, more than the maximum of ${maxPayloadBytes}`,
        );
      }
      invocations += 1;
      const requestId = String(invocations);
      if (!isSubscribed()) {
        const timeout = `Cannot invoke "${name}": no connected module is subscribed to methods`;
        await subscriptions.wait(requestId, connectSeconds, new HttpError(404, timeout));
      }
      const timeout = `The module did not respond to "${name}" within ${responseSeconds} s`;
      const response = responses.wait(requestId, responseSeconds, new HttpError(504, timeout));
      publish(`$iothub/methods/POST/${name}/?$rid=${requestId}`, text);
      return response;
    },

    onSubscribed() {
      const send = () => {
        if (isSubscribed()) subscriptions.settleAll();
      };
      setTimeout(send, delaySeconds() * 1000).unref();
    },

    onResponse(requestId, status, payload) {
      const bytes = Buffer.byteLength(payload);
      if (bytes > maxPayloadBytes) {
        const problem = `The response has ${bytes} bytes, more than the maximum of ${maxPayloadBytes}`;
        return responses.fail(requestId, new HttpError(502, problem));
      }
      try {
        responses.settle(requestId, { status, payload: payload === '' ? null : JSON.parse(payload) });
      } catch (cause) {
        responses.fail(requestId, new HttpError(502, 'The response is not JSON', { cause }));
      }
    },

    close() {
      const closed = new HttpError(503, 'The simulator was closed');
      subscriptions.failAll(closed);
      responses.failAll(closed);
    },
  };
}

import { HttpError } from '../http.ts';
import type { Json } from '../json.ts';

export interface MethodResponse {
  readonly status: number;
  readonly payload: Json;
}

/** IoT Hub's limit for the payload of a method call and of its response. */
const maxPayloadBytes = 128 * 1024;

/** Invokes direct methods and waits for their responses. */
export interface Methods {
  /** Rejects with an {@link HttpError}: 400 invalid call, 404 not subscribed, 502 invalid response, 504 timeout. */
  invoke(name: string, payload: Json, timeoutSeconds: number): Promise<MethodResponse>;
  /** Settles the call that the module's response belongs to. */
  onResponse(requestId: string, status: number, payload: string): void;
  /** Rejects all pending calls with 503. */
  close(): void;
}

export function createMethods(module: {
  /** Whether the module is connected and subscribed to methods. */
  isSubscribed(): boolean;
  publish(topic: string, payload: string): void;
}): Methods {
  const pending = new Map<string, { settle(response: MethodResponse): void; fail(error: HttpError): void }>();
  let invocations = 0;

  return {
    async invoke(name, payload, timeoutSeconds) {
      if (!/^[^\s/+#?]+$/.test(name)) throw new HttpError(400, `"${name}" is not a valid method name`);
      const text = JSON.stringify(payload);
      const bytes = Buffer.byteLength(text);
      if (bytes > maxPayloadBytes) {
        throw new HttpError(
          400,
          `The payload has ${bytes} bytes, more than the maximum of ${maxPayloadBytes}`,
        );
      }
      if (!module.isSubscribed()) {
        throw new HttpError(404, `Cannot invoke "${name}": no connected module is subscribed to methods`);
      }
      invocations += 1;
      const requestId = String(invocations);
      return new Promise((resolve, reject) => {
        const end = () => {
          clearTimeout(timer);
          pending.delete(requestId);
        };
        const fail = (error: HttpError) => {
          end();
          reject(error);
        };
        const timeout = new HttpError(
          504,
          `The module did not respond to "${name}" within ${timeoutSeconds} s`,
        );
        const timer = setTimeout(() => fail(timeout), timeoutSeconds * 1000);
        const settle = (response: MethodResponse) => {
          end();
          resolve(response);
        };
        pending.set(requestId, { settle, fail });
        module.publish(`$iothub/methods/POST/${name}/?$rid=${requestId}`, text);
      });
    },

    onResponse(requestId, status, payload) {
      const call = pending.get(requestId);
      if (call === undefined) return;
      const bytes = Buffer.byteLength(payload);
      if (bytes > maxPayloadBytes) {
        call.fail(
          new HttpError(502, `The response has ${bytes} bytes, more than the maximum of ${maxPayloadBytes}`),
        );
        return;
      }
      try {
        call.settle({ status, payload: payload === '' ? null : JSON.parse(payload) });
      } catch (cause) {
        call.fail(new HttpError(502, 'The response is not JSON', { cause }));
      }
    },

    close() {
      for (const { fail } of pending.values()) fail(new HttpError(503, 'The simulator was closed'));
    },
  };
}

import { HttpError } from '../http.ts';
import type { Json } from '../json.ts';

export interface MethodAnswer {
  readonly status: number;
  readonly payload: Json;
}

/** IoT Hub's limit for a method's payload, either way. */
const maxPayloadBytes = 128 * 1024;

/** Direct methods on their way: asked, and not yet answered. */
export interface Methods {
  /** Asks the module. Rejects with an {@link HttpError}: 400, 404 not there, 502 bad answer, 504 no answer. */
  invoke(name: string, payload: Json, timeoutSeconds: number): Promise<MethodAnswer>;
  /** Takes in a module's answer. */
  answered(requestId: string, status: number, payload: string): void;
  /** Rejects whatever is still waiting. */
  close(): void;
}

export function createMethods(module: {
  /** Connected, and subscribed to methods. */
  listening(): boolean;
  publish(topic: string, payload: string): void;
}): Methods {
  const waiting = new Map<string, { settle(answer: MethodAnswer): void; fail(error: HttpError): void }>();
  let asked = 0;

  return {
    async invoke(name, payload, timeoutSeconds) {
      if (!/^[^\s/+#?]+$/.test(name)) throw new HttpError(400, `"${name}" cannot be the name of a method`);
      const text = JSON.stringify(payload);
      const bytes = Buffer.byteLength(text);
      if (bytes > maxPayloadBytes) {
        throw new HttpError(400, `The payload has ${bytes} bytes, more than ${maxPayloadBytes}`);
      }
      if (!module.listening()) {
        throw new HttpError(
          404,
          `No module is connected that listens to methods, so "${name}" was not invoked`,
        );
      }
      asked += 1;
      const requestId = String(asked);
      return new Promise((resolve, reject) => {
        const end = () => {
          clearTimeout(timer);
          waiting.delete(requestId);
        };
        const fail = (error: HttpError) => {
          end();
          reject(error);
        };
        const tooLate = new HttpError(504, `The module did not answer "${name}" within ${timeoutSeconds} s`);
        const timer = setTimeout(() => fail(tooLate), timeoutSeconds * 1000);
        const settle = (answer: MethodAnswer) => {
          end();
          resolve(answer);
        };
        waiting.set(requestId, { settle, fail });
        module.publish(`$iothub/methods/POST/${name}/?$rid=${requestId}`, text);
      });
    },

    answered(requestId, status, payload) {
      const call = waiting.get(requestId);
      if (call === undefined) return;
      const bytes = Buffer.byteLength(payload);
      if (bytes > maxPayloadBytes) {
        call.fail(new HttpError(502, `The answer has ${bytes} bytes, more than ${maxPayloadBytes}`));
        return;
      }
      try {
        call.settle({ status, payload: payload === '' ? null : JSON.parse(payload) });
      } catch (cause) {
        call.fail(new HttpError(502, 'The module’s answer is not JSON', { cause }));
      }
    },

    close() {
      for (const { fail } of waiting.values()) fail(new HttpError(503, 'The simulator was closed'));
    },
  };
}

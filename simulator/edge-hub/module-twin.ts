import { HttpError } from '../http.ts';
import { isObject, type JsonObject } from '../json.ts';
import type { Faults } from './faults.ts';
import { patchProblem, totalProblem } from './limits.ts';
import { firstVersion, type Properties, patched, withVersion } from './twin.ts';

/** The module's twin: what the cloud asks of it, what the module asks of the twin. */
export interface ModuleTwin {
  /** Both sides, `$version` inside each. */
  document(): TwinDocument;
  /** The cloud's side: merges, counts, pushes to the module. Throws an {@link HttpError} 400 beyond the limits. */
  patchDesired(patch: JsonObject): JsonObject;
  /** The module asks for its twin. */
  onGet(requestId: string): void;
  /** The module reports. */
  onReport(requestId: string, payload: string): void;
}

export interface TwinDocument {
  readonly desired: JsonObject;
  readonly reported: JsonObject;
}

export interface ModuleTwinOptions {
  readonly desired: JsonObject;
  faults(): Faults;
  publish(topic: string, payload?: string): void;
  log(line: string): void;
}

/** Throws an {@link HttpError} 400 when the desired properties to begin with are beyond IoT Hub's limits. */
export function createModuleTwin({ desired: initial, faults, publish, log }: ModuleTwinOptions): ModuleTwin {
  let desired = firstVersion(initial);
  let reported = firstVersion({});
  const wrong = patchProblem(initial) ?? totalProblem(desired.values);
  if (wrong !== undefined)
    throw new HttpError(400, `The desired properties cannot be those of a twin: ${wrong}`);
  const answer = (status: number, requestId: string, payload?: string) =>
    publish(`$iothub/twin/res/${status}/?$rid=${requestId}`, payload);
  const document = () => ({ desired: shown(desired), reported: shown(reported) });

  return {
    document,

    patchDesired(patch) {
      const next = patched(desired, patch);
      const problem = patchProblem(patch) ?? totalProblem(next.values);
      if (problem !== undefined)
        throw new HttpError(400, `The desired properties were not changed: ${problem}`);
      desired = next;
      const pushed = JSON.stringify(withVersion(patch, next.version));
      publish(`$iothub/twin/PATCH/properties/desired/?$version=${next.version}`, pushed);
      return shown(desired);
    },

    onGet(requestId) {
      const { twin } = faults();
      if (twin === 'silent') return;
      if (twin === 'empty500') return answer(500, requestId);
      const offline = { desired: {}, reported: {} };
      answer(200, requestId, JSON.stringify(twin === 'offline' ? offline : document()));
    },

    onReport(requestId, payload) {
      const fault = faults().reported;
      const patch = parseObject(payload);
      const next = patched(reported, patch ?? {});
      // What is wrong of itself goes before the switch, so that no switch hides it.
      const problem =
        (patch === undefined && 'it is not a JSON object') ||
        patchProblem(patch ?? {}) ||
        totalProblem(next.values) ||
        (fault === 'empty400' && 'the switch "reported" says so');
      if (problem) log(`reported properties refused with 400: ${problem}`);
      if (fault === 'silent') return;
      if (problem) return answer(400, requestId);
      reported = next;
      answer(204, requestId);
    },
  };
}

const shown = ({ values, version }: Properties): JsonObject => withVersion(values, version);

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

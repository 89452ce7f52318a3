import { HttpError } from '../http.ts';
import { isObject, type JsonObject } from '../json.ts';
import type { Faults } from './faults.ts';
import { patchProblem, totalProblem } from './limits.ts';
import { firstVersion, type Properties, patched, withVersion } from './twin.ts';

/** The module's twin, as the cloud and the module access it. */
export interface ModuleTwin {
  /** Desired and reported properties, each with its `$version`. */
  document(): TwinDocument;
  /** Called for the cloud. Pushes the patch to the module. Throws an {@link HttpError} 400 if it is invalid. */
  patchDesired(patch: JsonObject): JsonObject;
  /** The module reads its twin. */
  onGet(requestId: string): void;
  /** The module sends a patch of reported properties. */
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

/** Throws an {@link HttpError} 400 when the initial desired properties exceed IoT Hub's limits. */
export function createModuleTwin({ desired: initial, faults, publish, log }: ModuleTwinOptions): ModuleTwin {
  let desired = firstVersion(initial);
  let reported = firstVersion({});
  const initialProblem = patchProblem(initial) ?? totalProblem(desired.values);
  if (initialProblem !== undefined)
    throw new HttpError(400, `Invalid initial desired properties: ${initialProblem}`);
  const respond = (status: number, requestId: string, payload?: string) =>
    publish(`$iothub/twin/res/${status}/?$rid=${requestId}`, payload);
  const document = () => ({ desired: toJson(desired), reported: toJson(reported) });

  return {
    document,

    patchDesired(patch) {
      const next = patched(desired, patch);
      const problem = patchProblem(patch) ?? totalProblem(next.values);
      if (problem !== undefined) throw new HttpError(400, `Desired properties not changed: ${problem}`);
      desired = next;
      const pushed = JSON.stringify(withVersion(patch, next.version));
      publish(`$iothub/twin/PATCH/properties/desired/?$version=${next.version}`, pushed);
      return toJson(desired);
    },

    onGet(requestId) {
      const { twin } = faults();
      if (twin === 'silent') return;
      if (twin === 'empty500') return respond(500, requestId);
      const offline = { desired: {}, reported: {} };
      respond(200, requestId, JSON.stringify(twin === 'offline' ? offline : document()));
    },

    onReport(requestId, payload) {
      const fault = faults().reported;
      const patch = parseObject(payload);
      const next = patched(reported, patch ?? {});
      // An invalid patch is logged as such even while a fault is set.
      const problem =
        (patch === undefined && 'not a JSON object') ||
        patchProblem(patch ?? {}) ||
        totalProblem(next.values) ||
        (fault === 'empty400' && 'the fault "reported" is set');
      if (problem) log(`Rejected reported properties with 400: ${problem}`);
      if (fault === 'silent') return;
      if (problem) return respond(400, requestId);
      reported = next;
      respond(204, requestId);
    },
  };
}

const toJson = ({ values, version }: Properties): JsonObject => withVersion(values, version);

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

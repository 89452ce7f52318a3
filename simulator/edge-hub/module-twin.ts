import { setTimeout as delay } from 'node:timers/promises';
import { HttpError } from '../http.ts';
import { isObject, type JsonObject } from '../json.ts';
import { type Faults, isCloudReachable } from './faults.ts';
import { patchProblem, totalProblem } from './limits.ts';
import type { Publication } from './mqtt/inbox.ts';
import { difference, type Properties, patched, withVersion } from './twin.ts';
import { createTwinCopies, type Twin } from './twin-copies.ts';

/** The module's twin, as the cloud and the module access it. */
export interface ModuleTwin {
  /** IoT Hub's desired and reported properties, each with its `$version`. */
  document(): TwinDocument;
  /** Called for the cloud. Pushes the patch to the module. Throws an {@link HttpError} 400 if it is invalid. */
  patchDesired(patch: JsonObject): JsonObject;
  /** The module reads its twin. Rejects when its connection closes first. */
  onGet(requestId: string, from: Publication): Promise<void>;
  /** The module sends a patch of reported properties. */
  onReport(requestId: string, from: Publication): void;
  /** Called after a change. Sends reports and pushes missed changes when IoT Hub is reachable again. */
  onFaultsChanged(before: Faults): void;
  /** Pushes a text in place of a patch of the desired properties. */
  push(text: string): void;
  close(): void;
}

export interface TwinDocument {
  readonly desired: JsonObject;
  readonly reported: JsonObject;
}

export interface ModuleTwinOptions {
  readonly desired: JsonObject;
  faults(): Faults;
  /** Pushes to the module, if it is connected. */
  pushDesired(payload: string, version: number): void;
  log(line: string): void;
}

/** Throws an {@link HttpError} 400 when the initial desired properties exceed IoT Hub's limits. */
export function createModuleTwin(options: ModuleTwinOptions): ModuleTwin {
  const { desired: initial, faults } = options;
  const copies = createTwinCopies(initial);
  const initialProblem = patchProblem(initial) ?? totalProblem(copies.cloud().desired.values);
  if (initialProblem !== undefined)
    throw new HttpError(400, `Invalid initial desired properties: ${initialProblem}`);

  let sending: NodeJS.Timeout | undefined;
  const sendReports = () => {
    clearTimeout(sending);
    sending = undefined;
    if (isCloudReachable(faults())) copies.sendReports();
  };
  const sendReportsLater = () => {
    const { reportDelaySeconds } = faults();
    if (reportDelaySeconds === 0) sendReports();
    else sending ??= setTimeout(sendReports, reportDelaySeconds * 1000).unref();
  };
  const push = (text: string) => options.pushDesired(text, copies.cloud().desired.version);
  const pushPatch = (patch: JsonObject) =>
    push(JSON.stringify(withVersion(patch, copies.cloud().desired.version)));

  return {
    document: () => toDocument(copies.cloud()),

    patchDesired(patch) {
      const next = patched(copies.cloud().desired, patch);
      const problem = patchProblem(patch) ?? totalProblem(next.values);
      if (problem !== undefined) throw new HttpError(400, `Desired properties not changed: ${problem}`);
      copies.setDesired(next);
      if (isCloudReachable(faults())) {
        copies.receiveDesired();
        pushPatch(patch);
      }
      return toJson(next);
    },

    async onGet(requestId, { reply, signal }) {
      const { twin, twinDelaySeconds } = faults();
      if (twin === 'silent') return;
      if (twin === 'empty500') return reply(response(500, requestId));
      if (twin === 'slow' || twin === 'stored') {
        await delay(twinDelaySeconds * 1000, undefined, { signal, ref: false });
      }
      const offline = { desired: {}, reported: {} };
      const document =
        twin === 'offline' ? offline : toDocument(twin === 'stored' ? copies.stored() : copies.read());
      const text = JSON.stringify(document);
      reply(response(200, requestId), twin === 'malformed' ? text.slice(0, text.length / 2) : text);
    },

    onReport(requestId, { payload, reply }) {
      const { reported: fault } = faults();
      const patch = parseObject(payload);
      const rejection = rejectionOf(patch, copies.reportedAfter(patch ?? {}), fault);
      if (rejection)
        options.log(`Rejected reported properties with ${rejection.status}: ${rejection.problem}`);
      if (fault === 'silent') return;
      if (rejection) return reply(response(rejection.status, requestId), rejection.body);
      if (patch) copies.report(patch);
      sendReportsLater();
      reply(response(204, requestId));
    },

    onFaultsChanged(before) {
      const isBack = !isCloudReachable(before) && isCloudReachable(faults());
      if (faults().reportDelaySeconds !== before.reportDelaySeconds) {
        clearTimeout(sending);
        sending = undefined;
        sendReportsLater();
      }
      if (!isBack) return;
      sendReports();
      // One patch for all versions that edgeHub missed, as in SyncTwinAndSendDesiredPropertyUpdates.
      const { desired: old } = copies.stored();
      const { desired } = copies.read();
      if (desired.version !== old.version) pushPatch(difference(old.values, desired.values));
    },

    push,

    close: () => clearTimeout(sending),
  };
}

interface RejectedReport {
  readonly status: number;
  readonly problem: string;
  readonly body?: string;
}

/** Why a report is rejected; undefined when it is accepted. An invalid report is rejected as such even with a fault. */
function rejectionOf(
  patch: JsonObject | undefined,
  merged: JsonObject,
  fault: Faults['reported'],
): RejectedReport | undefined {
  // HandleTwinOperationException in DeviceMessageHandler.cs: only validation errors are a 400.
  if (patch === undefined) return { status: 500, problem: 'not a JSON object' };
  const invalid = patchProblem(patch) ?? totalProblem(merged);
  if (invalid !== undefined) return { status: 400, problem: invalid };
  const problem = 'the fault "reported" is set';
  if (fault === 'empty400') return { status: 400, problem };
  return fault === 'body429' ? { status: 429, problem, body: throttled } : undefined;
}

const throttled = JSON.stringify({ errorCode: 429001, message: 'ThrottlingException' });

const response = (status: number, requestId: string) => `$iothub/twin/res/${status}/?$rid=${requestId}`;

const toJson = ({ values, version }: Properties): JsonObject => withVersion(values, version);

const toDocument = ({ desired, reported }: Twin): TwinDocument => ({
  desired: toJson(desired),
  reported: toJson(reported),
});

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

import { isObject, type JsonObject } from '../json.ts';
import { firstVersion, mergePatch, type Properties, patched } from './twin.ts';

export interface Twin {
  readonly desired: Properties;
  readonly reported: Properties;
}

/** The module's twin in IoT Hub and edgeHub's copy of it, as StoringTwinManager.cs keeps them. */
export interface TwinCopies {
  cloud(): Twin;
  /** The twin as edgeHub last read it, with the changes that it received since. */
  stored(): Twin;
  setDesired(desired: Properties): void;
  /** edgeHub receives the desired properties from IoT Hub. */
  receiveDesired(): void;
  /** edgeHub reads the whole twin from IoT Hub. Reports that it has not sent yet are then missing from its copy. */
  read(): Twin;
  /** edgeHub stores a patch of reported properties, to be sent to IoT Hub later. */
  report(patch: JsonObject): void;
  /** The reported properties in IoT Hub after all unsent patches and this one. */
  reportedAfter(patch: JsonObject): JsonObject;
  /** edgeHub sends all stored patches to IoT Hub in one. */
  sendReports(): void;
}

export function createTwinCopies(desired: JsonObject): TwinCopies {
  let cloud: Twin = { desired: firstVersion(desired), reported: firstVersion({}) };
  let stored = cloud;
  let unsent: readonly JsonObject[] = [];

  const reportedAfter = (patch: JsonObject): JsonObject => {
    const merged = [...unsent, patch].reduce(mergePatch, cloud.reported.values);
    return isObject(merged) ? merged : {};
  };
  return {
    cloud: () => cloud,
    stored: () => stored,
    setDesired(next) {
      cloud = { ...cloud, desired: next };
    },
    receiveDesired() {
      stored = { ...stored, desired: cloud.desired };
    },
    read() {
      stored = cloud;
      return cloud;
    },
    report(patch) {
      stored = { ...stored, reported: patched(stored.reported, patch) };
      unsent = [...unsent, patch];
    },
    reportedAfter,
    sendReports() {
      if (unsent.length === 0) return;
      const reported = { version: cloud.reported.version + 1, values: reportedAfter({}) };
      cloud = { ...cloud, reported };
      unsent = [];
    },
  };
}

import { limitProblems } from '../limits.ts';
import { applyPatch, difference, isObject, type Json, mergePatches } from '../merge-patch.ts';

/** What is known of the reported properties in the cloud. */
export interface ReportedCopy {
  /** The patch after which the cloud has these properties; undefined when none is needed. */
  patchTo(wanted: Json): Json | undefined;
  /** The hub accepted a patch. Returns all acknowledged properties. */
  accepted(patch: Json): Json;
  /**
   * Takes the properties that were read from the hub. Returns the milliseconds after which they have to be read again,
   * because edgeHub may not have merged the last patches yet; undefined when once is enough.
   */
  read(reported: Json): number | undefined;
}

export interface ReportedCopyOptions {
  /** Monotonic milliseconds. */
  now(): number;
  /** The reported properties that were last acknowledged to an earlier process. */
  readonly acknowledged?: Json | undefined;
  /** All top-level keys that this version reports. Others in the twin are those of other versions, and are removed. */
  readonly keys: readonly string[];
}

// edgeHub sends acknowledged patches to IoT Hub every 5 s (ReportedPropertiesSyncFrequencySecs), later when throttled.
// Until then it returns IoT Hub's twin without them.
const settleMs = 60_000;
const maxUnsettledReads = 3;

export function createReportedCopy({
  now,
  acknowledged: before = {},
  keys,
}: ReportedCopyOptions): ReportedCopy {
  // The cloud ends up with either: with what edgeHub acknowledged, or, if edgeHub forgets that, with what was read.
  // A patch has to be right for both.
  let acknowledged = before;
  let readBack: Json | undefined;
  // Whether edgeHub has had the time to send what it acknowledged.
  let settled = true;
  let unsettledReads = 0;
  // An earlier process may have sent patches that are not in `before`.
  let acceptedAt = now();
  let firstRead = true;

  // A key that the hub would not accept in a patch cannot be removed by one.
  const isObsolete = (key: string) => !keys.includes(key) && limitProblems({ [key]: null }).length === 0;
  const ours = (document: Json) => only(document, (key) => keys.includes(key));

  return {
    patchTo(wanted) {
      if (Object.keys(wanted).length === 0) return undefined;
      const from = (base: Json) =>
        difference(
          only(base, (key) => Object.hasOwn(wanted, key) || isObsolete(key)),
          wanted,
        );
      const fromAcknowledged = from(acknowledged);
      if (!fromAcknowledged && !settled) return undefined;
      return mergePatches(fromAcknowledged, readBack && from(readBack));
    },
    accepted(patch) {
      acknowledged = apply(acknowledged, patch);
      readBack = readBack && apply(readBack, patch);
      acceptedAt = now();
      return acknowledged;
    },
    read(reported) {
      readBack = reported;
      const differs = difference(ours(reported), ours(acknowledged)) !== undefined;
      const sinceMs = now() - acceptedAt;
      unsettledReads = differs ? unsettledReads + 1 : 0;
      settled = !differs || sinceMs >= settleMs || unsettledReads > maxUnsettledReads;
      const again = sinceMs < settleMs && (!settled || firstRead);
      firstRead = false;
      return again ? settleMs - sinceMs : undefined;
    },
  };
}

function apply(document: Json, patch: Json): Json {
  const next = applyPatch(document, patch);
  return isObject(next) ? next : {};
}

const only = (document: Json, included: (key: string) => boolean): Json =>
  Object.fromEntries(Object.entries(document).filter(([key]) => included(key)));

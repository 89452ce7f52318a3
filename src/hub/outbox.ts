import { limitProblems } from './limits.ts';
import { applyPatch, difference, isObject, type Json, mergePatches } from './merge-patch.ts';

/** The report that is still to be sent. Independent of any connection. */
export interface Outbox {
  /** Sets the reported properties to send. Top-level keys that are absent keep their values in the twin. */
  report(properties: Json, minIntervalSeconds: number, urgent: boolean): void;
  /** The patch to send now, or the milliseconds until there may be one. */
  next(): Next;
  /** The hub accepted a patch. Returns all acknowledged properties. */
  accepted(patch: Json): Json;
  /** The hub rejected a patch: it is retried after the interval. */
  rejected(): void;
  /**
   * Takes the reported properties that were read from the hub. Returns the milliseconds after which they have to be read
   * again, because edgeHub may not have merged the last patches yet; undefined when once is enough.
   */
  read(reported: Json): number | undefined;
  /** From now on, patches are sent without waiting for the interval, until one is rejected. */
  skipInterval(): void;
}

/** The result of {@link Outbox.next}: a patch, the reasons why it cannot be sent, or how long to wait. */
export type Next =
  | { readonly patch: Json }
  | { readonly problems: readonly string[] }
  | { readonly idleMs: number };

export interface OutboxOptions {
  /** Monotonic milliseconds. */
  now(): number;
  /** The reported properties that were last acknowledged to an earlier process. */
  readonly acknowledged?: Json | undefined;
  /** All top-level keys that this version reports. Others in the twin are those of other versions, and are removed. */
  readonly keys: readonly string[];
}

// Limits the traffic when findings flap, the policy changes all the time, or answers do not arrive.
const maxUrgentPerHour = 30;
const hourMs = 3_600_000;
// edgeHub sends acknowledged patches to IoT Hub every 5 s (ReportedPropertiesSyncFrequencySecs), later when throttled.
// Until then it returns IoT Hub's twin without them.
const settleMs = 60_000;
const maxUnsettledReads = 3;

export function createOutbox({ now, acknowledged: before = {}, keys }: OutboxOptions): Outbox {
  // Either may be what the cloud ends up with: what edgeHub acknowledged, or what was read, if it has forgotten that.
  let acknowledged = before;
  let readBack: Json | undefined;
  let settled = true;
  let unsettledReads = 0;
  // An earlier process may have sent patches that are not in `before`.
  let acceptedAt = now();
  let firstRead = true;

  let wanted: Json = {};
  let minIntervalMs = 0;
  let notBefore = Number.NEGATIVE_INFINITY;
  let urgent = false;
  let intervalSkipped = false;
  let inFlight: { readonly urgent: boolean } | undefined;
  let sentAt: readonly number[] = [];

  const canSendNow = () => {
    sentAt = sentAt.filter((at) => now() - at < hourMs);
    return intervalSkipped || (urgent && sentAt.length < maxUrgentPerHour);
  };
  const from = (base: Json | undefined): Json | undefined =>
    base && difference(only(base, (key) => key in wanted || isObsolete(key)), wanted);
  // A key that the hub would not accept in a patch cannot be removed by one.
  const isObsolete = (key: string) => !keys.includes(key) && limitProblems({ [key]: null }).length === 0;

  function patch(): Json | undefined {
    if (Object.keys(wanted).length === 0) return undefined;
    const fromAcknowledged = from(acknowledged);
    if (!fromAcknowledged && !settled) return undefined;
    return mergePatches(fromAcknowledged, from(readBack));
  }

  return {
    report(properties, minIntervalSeconds, isUrgent) {
      // A copy in JSON's terms, because the hub stores JSON and the caller may change the object later.
      const copy: Json = JSON.parse(JSON.stringify(properties));
      wanted = { ...wanted, ...copy };
      minIntervalMs = minIntervalSeconds * 1000;
      urgent ||= isUrgent;
    },
    next() {
      // Without an answer it is sent again, as urgent as it was.
      urgent ||= inFlight?.urgent ?? false;
      inFlight = undefined;
      const next = patch();
      if (!next) {
        urgent = false;
        return { idleMs: Number.POSITIVE_INFINITY };
      }
      const idleMs = canSendNow() ? 0 : notBefore - now();
      if (idleMs > 0) return { idleMs };
      const problems = limitProblems(next);
      if (problems.length > 0) return { problems };
      // Reset here, so that a report which becomes urgent during this patch stays urgent.
      inFlight = { urgent };
      urgent = false;
      sentAt = [...sentAt, now()];
      notBefore = now() + minIntervalMs;
      return { patch: next };
    },
    accepted(next) {
      acknowledged = apply(acknowledged, next);
      readBack = readBack && apply(readBack, next);
      acceptedAt = now();
      inFlight = undefined;
      return acknowledged;
    },
    rejected() {
      intervalSkipped = false;
      urgent = false;
      inFlight = undefined;
      notBefore = now() + minIntervalMs;
    },
    read(reported) {
      readBack = reported;
      const ours = (document: Json) => only(document, (key) => keys.includes(key));
      const differs = difference(ours(reported), ours(acknowledged)) !== undefined;
      const sinceMs = now() - acceptedAt;
      unsettledReads = differs ? unsettledReads + 1 : 0;
      settled = !differs || sinceMs >= settleMs || unsettledReads > maxUnsettledReads;
      const again = sinceMs < settleMs && (!settled || firstRead);
      firstRead = false;
      return again ? settleMs - sinceMs : undefined;
    },
    skipInterval() {
      intervalSkipped = true;
    },
  };
}

function apply(document: Json, patch: Json): Json {
  const next = applyPatch(document, patch);
  return isObject(next) ? next : {};
}

const only = (document: Json, included: (key: string) => boolean): Json =>
  Object.fromEntries(Object.entries(document).filter(([key]) => included(key)));

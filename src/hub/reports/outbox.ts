import { createHourlyBudget, limitProblems } from '../limits.ts';
import type { Json } from '../merge-patch.ts';
import { createReportedCopy, type ReportedCopy, type ReportedCopyOptions } from './reported-copy.ts';

/** The report that is still to be sent. Independent of any connection. */
export interface Outbox extends Pick<ReportedCopy, 'accepted' | 'read'> {
  /** Sets the reported properties to send. Top-level keys that are absent keep their values in the twin. */
  report(properties: Json, minIntervalSeconds: number, urgent: boolean): void;
  /** The patch to send now, or the milliseconds until there may be one. */
  next(): Next;
  /** The hub rejected a patch: it is retried after the interval. */
  rejected(): void;
  /** From now on, patches are sent without waiting for the interval, until one is rejected. */
  skipInterval(): void;
}

/** The result of {@link Outbox.next}: a patch, the reasons why it cannot be sent, or how long to wait. */
export type Next =
  | { readonly patch: Json }
  | { readonly problems: readonly string[] }
  | { readonly idleMs: number };

// Limits the traffic when findings flap, the policy changes all the time, or answers do not arrive.
const maxUrgentPerHour = 30;

export function createOutbox(options: ReportedCopyOptions): Outbox {
  const { now } = options;
  const copy = createReportedCopy(options);
  let wanted: Json = {};
  let latest = '';
  let minIntervalMs = 0;
  let notBefore = Number.NEGATIVE_INFINITY;
  let urgent = false;
  let intervalSkipped = false;
  let inFlight: { readonly urgent: boolean } | undefined;
  /** The hub has what is wanted. Every run of a check reports, and most change nothing. */
  let upToDate = false;
  const budget = createHourlyBudget(maxUrgentPerHour);

  const canSendNow = () => {
    const hasRoom = budget.hasRoom(now());
    return intervalSkipped || (urgent && hasRoom);
  };

  return {
    report(properties, minIntervalSeconds, isUrgent) {
      // A copy in JSON's terms, because the hub stores JSON and the caller may change the object later.
      const text = JSON.stringify(properties);
      if (text !== latest) wanted = { ...wanted, ...JSON.parse(text) };
      upToDate &&= text === latest;
      latest = text;
      minIntervalMs = minIntervalSeconds * 1000;
      urgent ||= isUrgent;
    },
    next() {
      // A patch without an answer is sent again, as urgent as it was.
      urgent ||= inFlight?.urgent ?? false;
      inFlight = undefined;
      const patch = upToDate ? undefined : copy.patchTo(wanted);
      upToDate = !patch;
      if (!patch) {
        urgent = false;
        return { idleMs: Number.POSITIVE_INFINITY };
      }
      const idleMs = canSendNow() ? 0 : notBefore - now();
      if (idleMs > 0) return { idleMs };
      const problems = limitProblems(patch);
      if (problems.length > 0) return { problems };
      // Reset here, so that a report which becomes urgent during this patch stays urgent.
      inFlight = { urgent };
      urgent = false;
      budget.spend(now());
      notBefore = now() + minIntervalMs;
      return { patch };
    },
    accepted(patch) {
      inFlight = undefined;
      upToDate = false;
      return copy.accepted(patch);
    },
    rejected() {
      intervalSkipped = false;
      urgent = false;
      inFlight = undefined;
      notBefore = now() + minIntervalMs;
    },
    read(reported) {
      upToDate = false;
      return copy.read(reported);
    },
    skipInterval() {
      intervalSkipped = true;
    },
  };
}

import { limitProblems } from './limits.ts';
import { applyPatch, difference, isObject, type Json } from './merge-patch.ts';
import type { OutputMessage } from './session.ts';

/** Reports and messages that are still to be sent. Independent of any connection. */
export interface Outbox {
  /** Sets the reported properties to send. Top-level keys that are absent keep their values in the twin. */
  report(properties: Json, minIntervalSeconds: number, urgent: boolean): void;
  send(message: OutputMessage): void;
  /** The next item to send, or the milliseconds until there may be one. */
  next(): Next;
  /** The hub accepted a patch. Returns all acknowledged properties, the base of the next difference. */
  accepted(patch: Json): Json;
  /** The hub rejected a patch: it is retried after the interval. */
  rejected(): void;
  /** A message returned by `next` was sent. */
  sent(message: OutputMessage): void;
  /** The messages that are still to be sent. */
  unsent(): readonly OutputMessage[];
  /** Replaces the acknowledged properties with those read from the hub. */
  setAcknowledged(reported: Json): void;
  /** From now on, patches are sent without waiting for the interval, until one is rejected. */
  skipInterval(): void;
}

/** The result of {@link Outbox.next}: a patch, a message, the reasons why the patch cannot be sent, or how long to wait. */
export type Next =
  | { readonly patch: Json }
  | { readonly message: OutputMessage }
  | { readonly problems: readonly string[] }
  | { readonly idleMs: number };

// Limits the traffic when findings flap or the policy changes all the time.
const maxUrgentPerHour = 30;
const hourMs = 3_600_000;

// More than a day of flapping. The oldest messages beyond this number are dropped.
const maxMessages = 100;

/**
 * @param now monotonic milliseconds
 * @param before the reported properties that were last acknowledged to an earlier process
 */
export function createOutbox(now: () => number, before: Json = {}): Outbox {
  let acknowledged = before;
  let wanted: Json = {};
  let minIntervalMs = 0;
  let notBefore = Number.NEGATIVE_INFINITY;
  let urgent = false;
  let intervalSkipped = false;
  let unanswered = false;
  let acceptedAt: readonly number[] = [];
  const messages: OutputMessage[] = [];

  const startInterval = () => {
    unanswered = false;
    notBefore = now() + minIntervalMs;
  };
  const canSendNow = () => {
    acceptedAt = acceptedAt.filter((at) => now() - at < hourMs);
    return intervalSkipped || unanswered || (urgent && acceptedAt.length < maxUrgentPerHour);
  };

  return {
    report(properties, minIntervalSeconds, isUrgent) {
      // A copy in JSON's terms, because the hub stores JSON and the caller may change the object later.
      const copy: Json = JSON.parse(JSON.stringify(properties));
      wanted = { ...wanted, ...copy };
      minIntervalMs = minIntervalSeconds * 1000;
      urgent ||= isUrgent;
    },
    send(message) {
      messages.push(message);
      if (messages.length > maxMessages) messages.shift();
    },
    next() {
      const message = messages[0];
      if (message) return { message };
      const patch = difference(only(acknowledged, Object.keys(wanted)), wanted);
      if (!patch) {
        urgent = false;
        return { idleMs: Number.POSITIVE_INFINITY };
      }
      const idleMs = canSendNow() ? 0 : notBefore - now();
      if (idleMs > 0) return { idleMs };
      const problems = limitProblems(patch);
      if (problems.length > 0) return { problems };
      // Reset here, so that a report which becomes urgent during this patch stays urgent. A patch without an answer
      // is sent again.
      urgent = false;
      unanswered = true;
      return { patch };
    },
    accepted(patch) {
      const next = applyPatch(acknowledged, patch);
      acknowledged = isObject(next) ? next : {};
      acceptedAt = [...acceptedAt, now()];
      startInterval();
      return acknowledged;
    },
    rejected() {
      intervalSkipped = false;
      urgent = false;
      startInterval();
    },
    sent(message) {
      // It may have been dropped for a newer one while it was being sent.
      if (messages[0] === message) messages.shift();
    },
    unsent: () => [...messages],
    setAcknowledged(reported) {
      acknowledged = reported;
    },
    skipInterval() {
      intervalSkipped = true;
    },
  };
}

const only = (document: Json, keys: readonly string[]): Json =>
  Object.fromEntries(Object.entries(document).filter(([key]) => keys.includes(key)));

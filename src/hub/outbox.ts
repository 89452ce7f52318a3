import { limitProblems } from './limits.ts';
import { applyPatch, difference, isObject, type Json } from './merge-patch.ts';
import type { OutputMessage } from './session.ts';

/** What is still to be sent. Knows nothing of connections. */
export interface Outbox {
  /** The reported properties as they shall be. Top-level keys that are absent stay as they are. */
  report(properties: Json, minIntervalSeconds: number, urgent: boolean): void;
  send(message: OutputMessage): void;
  /** The next thing to send, or the milliseconds until there may be one. */
  next(): Next;
  /** The hub has taken a patch. Gives all that it holds now, from which the next difference is taken. */
  accepted(patch: Json): Json;
  /** The hub does not want a patch: it is tried again after the interval. */
  refused(): void;
  /** A message that was next has been sent. */
  sent(message: OutputMessage): void;
  /** The messages that are still to be sent. */
  unsent(): readonly OutputMessage[];
  /** What the hub really holds, where it has told. */
  holds(reported: Json): void;
  /** From now on nothing waits for its interval. */
  hurry(): void;
}

/** What {@link Outbox.next} gives: a patch, a message, why the patch would be refused, or how long to wait. */
export type Next =
  | { readonly patch: Json }
  | { readonly message: OutputMessage }
  | { readonly problems: readonly string[] }
  | { readonly idleMs: number };

// Whatever flaps, and whoever keeps changing the policy: no more than these go before their interval is over.
const mostUrgentInAnHour = 30;
const hourMs = 3_600_000;

// More than a day of flapping. Beyond it the oldest are dropped.
const mostMessages = 100;

/**
 * @param now monotonic milliseconds
 * @param before what was last acknowledged, to an earlier process
 */
export function createOutbox(now: () => number, before: Json = {}): Outbox {
  let acknowledged = before;
  let wanted: Json = {};
  let minIntervalMs = 0;
  let notBefore = Number.NEGATIVE_INFINITY;
  let urgent = false;
  let hurried = false;
  let unanswered = false;
  let acceptedAt: readonly number[] = [];
  const messages: OutputMessage[] = [];

  const holdBack = () => {
    unanswered = false;
    notBefore = now() + minIntervalMs;
  };
  const mayHurry = () => {
    acceptedAt = acceptedAt.filter((at) => now() - at < hourMs);
    return hurried || unanswered || (urgent && acceptedAt.length < mostUrgentInAnHour);
  };

  return {
    report(properties, minIntervalSeconds, isUrgent) {
      // As JSON has it, for that is what the hub will hold; and whoever reports may go on with the object.
      const given: Json = JSON.parse(JSON.stringify(properties));
      wanted = { ...wanted, ...given };
      minIntervalMs = minIntervalSeconds * 1000;
      urgent ||= isUrgent;
    },
    send(message) {
      messages.push(message);
      if (messages.length > mostMessages) messages.shift();
    },
    next() {
      const message = messages[0];
      if (message) return { message };
      const patch = difference(only(acknowledged, Object.keys(wanted)), wanted);
      if (!patch) {
        urgent = false;
        return { idleMs: Number.POSITIVE_INFINITY };
      }
      const idleMs = mayHurry() ? 0 : notBefore - now();
      if (idleMs > 0) return { idleMs };
      const problems = limitProblems(patch);
      if (problems.length > 0) return { problems };
      // What becomes urgent while this one is on its way is urgent still; one that is never answered is sent again.
      urgent = false;
      unanswered = true;
      return { patch };
    },
    accepted(patch) {
      const next = applyPatch(acknowledged, patch);
      acknowledged = isObject(next) ? next : {};
      acceptedAt = [...acceptedAt, now()];
      holdBack();
      return acknowledged;
    },
    refused() {
      hurried = false;
      urgent = false;
      holdBack();
    },
    sent(message) {
      // While it was on its way it may have been dropped for a newer one.
      if (messages[0] === message) messages.shift();
    },
    unsent: () => [...messages],
    holds(reported) {
      acknowledged = reported;
    },
    hurry() {
      hurried = true;
    },
  };
}

const only = (document: Json, keys: readonly string[]): Json =>
  Object.fromEntries(Object.entries(document).filter(([key]) => keys.includes(key)));

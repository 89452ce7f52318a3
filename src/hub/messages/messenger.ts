import { backoffSeconds } from '../reconnect.ts';
import type { HubLog, OutputMessage, Session } from '../session.ts';
import type { Uses } from '../uses.ts';
import type { MessageQueue } from './queue.ts';

// edgeHub closes the connection at a message that it cannot store, with a full disk for instance. The longest pause is also
// how late it is noticed that it can again.
const firstPauseSeconds = 5;
const maxPauseSeconds = 300;

/** Sends the messages of the queue, oldest first, one at a time. */
export interface Messenger {
  /**
   * Sends the next message and resolves with 0, or with the milliseconds until there may be one. A message that fails is
   * retried less and less often. Rejects only with the signal's reason, when the session has ended.
   */
  sendNext(session: Session, alive: AbortSignal): Promise<number>;
  /** Whether a message is on its way. */
  sending(): boolean;
  /** The connection was lost while a message was on its way, which may be the reason: messages pause. */
  connectionLost(error: Error): void;
  /** When edgeHub last acknowledged a message; undefined before the first. */
  sentAt(): Date | undefined;
  /** Whether the last message failed. The next one may end the session, so the report goes first. */
  failing(): boolean;
}

export interface MessengerOptions {
  readonly queue: MessageQueue;
  readonly uses: Uses;
  readonly log: Pick<HubLog, 'warn'>;
  readonly now: () => Date;
  /** Called with the unsent messages whenever they change. */
  onUnsent?(messages: readonly OutputMessage[]): void;
}

export function createMessenger({ queue, uses, log, now, onUnsent }: MessengerOptions): Messenger {
  let failures = 0;
  let notBefore = Number.NEGATIVE_INFINITY;
  let sending = false;
  let sentAt: Date | undefined;

  /** Returns its milliseconds. */
  function pause(): number {
    const seconds = backoffSeconds(failures, () => 1, { first: firstPauseSeconds, max: maxPauseSeconds });
    failures += 1;
    notBefore = performance.now() + seconds * 1000;
    return seconds * 1000;
  }

  return {
    sending: () => sending,
    sentAt: () => sentAt,
    connectionLost(error) {
      pause();
      // The first time it may be a coincidence.
      if (failures > 1) uses.failed('messages', error);
    },
    failing: () => failures > 0,
    async sendNext(session, alive) {
      alive.throwIfAborted();
      const waitMs = notBefore - performance.now();
      if (waitMs > 0) return waitMs;
      const message = queue.take();
      if (!message) return Number.POSITIVE_INFINITY;
      sending = true;
      try {
        await session.send(message);
      } catch (error) {
        queue.giveBack();
        alive.throwIfAborted();
        if (error instanceof Error) uses.failed('messages', error);
        return pause();
      } finally {
        sending = false;
      }
      queue.sent();
      sentAt = now();
      failures = 0;
      uses.worked('messages');
      onUnsent?.(queue.unsent());
      if (message.leftOut)
        log.warn({ leftOut: message.leftOut }, 'Sent a message in place of those left out');
      return 0;
    },
  };
}

import type { OutputMessage } from '../session.ts';

/** Messages that are still to be sent, oldest first. Independent of any connection. */
export interface MessageQueue {
  /** Adds a message. Returns true when the queue was full and messages are left out from now on. */
  add(message: OutputMessage): boolean;
  /** Takes the oldest message, until `sent` or `giveBack` is called. */
  take(): OutputMessage | undefined;
  /** The message taken was sent. */
  sent(): void;
  /** The message taken could not be sent: it stays the first one. */
  giveBack(): void;
  /** All messages that are still to be sent, including one that was taken. */
  unsent(): readonly OutputMessage[];
}

export interface MessageQueueOptions {
  /** Messages that an earlier process could not send. */
  readonly unsent: readonly OutputMessage[];
  readonly summarise: Summarise;
}

/** Makes the message that replaces `leftOut` messages. `dropped`: the latest of them, and an earlier summary of the others. */
export type Summarise = (leftOut: number, dropped: readonly OutputMessage[]) => OutputMessage;

/** More than a day of flapping. Of more messages the oldest are left out: newer ones say more about the present. */
export const maxMessages = 100;

export function createMessageQueue({ unsent, summarise }: MessageQueueOptions): MessageQueue {
  const waiting: OutputMessage[] = [];
  let taken: OutputMessage | undefined;
  for (const message of unsent) add(message);

  function add(message: OutputMessage): boolean {
    waiting.push(message);
    const [first, second] = waiting;
    if (!first || !second || waiting.length <= maxMessages + (first.leftOut ? 1 : 0)) return false;
    const dropped = first.leftOut ? [first, second] : [first];
    const leftOut = dropped.reduce((sum, each) => sum + (each.leftOut ?? 1), 0);
    waiting.splice(0, dropped.length, { ...summarise(leftOut, dropped), leftOut });
    return first.leftOut === undefined;
  }

  return {
    add,
    take() {
      taken = waiting.shift();
      return taken;
    },
    sent() {
      taken = undefined;
    },
    giveBack() {
      if (taken) waiting.unshift(taken);
      taken = undefined;
    },
    unsent: () => (taken ? [taken, ...waiting] : [...waiting]),
  };
}

import { type Faults, isCloudReachable } from './faults.ts';
import type { Message } from './messages.ts';

/** Beyond this limit the oldest messages are dropped. */
const maxMessages = 1000;

/** edgeHub's store-and-forward: messages wait in it until IoT Hub is reachable. */
export interface MessageStore {
  add(message: Message): void;
  /** Sends the waiting messages if IoT Hub is reachable. */
  forward(): void;
  /** The messages that reached IoT Hub. */
  forwarded(): readonly Message[];
  waiting(): number;
}

export function createMessageStore(faults: () => Faults): MessageStore {
  const waiting: Message[] = [];
  const forwarded: Message[] = [];
  const forward = () => {
    if (!isCloudReachable(faults())) return;
    forwarded.push(...waiting.splice(0));
    forwarded.splice(0, forwarded.length - maxMessages);
  };
  return {
    add(message) {
      waiting.push(message);
      waiting.splice(0, waiting.length - maxMessages);
      forward();
    },
    forward,
    forwarded: () => [...forwarded],
    waiting: () => waiting.length,
  };
}

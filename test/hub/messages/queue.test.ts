import { beforeEach, describe, expect, test } from 'vitest';
import { createMessageQueue, type MessageQueue } from '../../../src/hub/messages/queue.ts';
import type { OutputMessage } from '../../../src/hub/session.ts';

const message = (body: unknown): OutputMessage => ({ output: 'alerts', body, properties: {} });
const numbers = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, i) => i + first);

const queueOf = (unsent: readonly OutputMessage[]) =>
  createMessageQueue({
    unsent,
    summarise: (leftOut, dropped) => message({ leftOut, dropped: dropped.map(({ body }) => body) }),
  });

let queue: MessageQueue;
beforeEach(() => {
  queue = queueOf([]);
});

/** Sends all messages and returns their bodies. */
function bodies(): unknown[] {
  const sent: unknown[] = [];
  for (let next = queue.take(); next; next = queue.take()) {
    sent.push(next.body);
    queue.sent();
  }
  return sent;
}

describe('messages', () => {
  test('are sent in order, and stay until they were sent', () => {
    queue.add(message(1));
    queue.add(message(2));
    expect(queue.take()).toEqual(message(1));
    expect(queue.unsent()).toEqual([message(1), message(2)]);
    queue.giveBack();
    expect(bodies()).toEqual([1, 2]);
    expect(queue.unsent()).toEqual([]);
  });

  test('of an earlier process come first', () => {
    queue = queueOf([message(1)]);
    queue.add(message(2));
    expect(bodies()).toEqual([1, 2]);
  });

  test('beyond a hundred are summed up in one message, in place of the oldest', () => {
    const overflows = numbers(1, 150).map((body) => queue.add(message(body)));
    expect(overflows.indexOf(true)).toBe(100);
    expect(overflows.filter(Boolean)).toHaveLength(1);
    expect(bodies()).toEqual([{ leftOut: 50, dropped: [expect.anything(), 50] }, ...numbers(51, 150)]);
  });

  test('left out by an earlier process are still counted', () => {
    for (const body of numbers(1, 110)) queue.add(message(body));
    queue = queueOf(queue.unsent());
    queue.add(message(111));
    expect(bodies()).toEqual([
      { leftOut: 11, dropped: [expect.objectContaining({ leftOut: 10 }), 11] },
      ...numbers(12, 111),
    ]);
  });

  test('when one is being sent, it is not left out, and no other is lost', () => {
    for (const body of numbers(1, 100)) queue.add(message(body));
    expect(queue.take()).toEqual(message(1));
    queue.add(message(101));
    queue.add(message(102));
    queue.sent();
    expect(bodies()).toEqual([{ leftOut: 1, dropped: [2] }, ...numbers(3, 102)]);
  });

  test('left out while the number of earlier ones is being sent are counted anew', () => {
    for (const body of numbers(1, 101)) queue.add(message(body));
    expect(queue.take()).toMatchObject({ leftOut: 1 });
    expect(queue.add(message(102))).toBe(true);
    queue.sent();
    expect(bodies()).toEqual([{ leftOut: 1, dropped: [2] }, ...numbers(3, 102)]);
  });
});

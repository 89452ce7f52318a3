import { expect, test } from 'vitest';
import { startedHub } from '../support/servers/hub.ts';
import { eventually } from '../support/servers/simulator.ts';

test('a connection that goes while it is being opened ends the attempt, though the client never settles', async () => {
  let opened = 0;
  const hub = startedHub({
    open: (_methods, { onEnd }) => {
      opened += 1;
      setTimeout(() => onEnd(new Error('read ECONNRESET')), 10);
      return new Promise(() => {});
    },
  });
  await eventually(() => opened).toBeGreaterThan(1);
  expect(hub.status().problem?.message).toMatch(/The connection to edgeHub was lost/);
});

test('an attempt that says why its connection has gone is believed rather than the loss', async () => {
  const hub = startedHub({
    open: (_methods, { onEnd }) => {
      onEnd(new Error('closed'));
      return new Promise((_, reject) => setTimeout(() => reject(new Error('Not authorized')), 50));
    },
  });
  await eventually(() => hub.status().problem?.message).toMatch(/Not authorized/);
});

import { beforeEach, describe, expect, test } from 'vitest';
import { createOutbox, type Next, type Outbox } from '../../src/hub/outbox.ts';

let nowMs = 0;
let outbox: Outbox;
beforeEach(() => {
  nowMs = 1_000_000;
  outbox = createOutbox(() => nowMs);
});

const nothing: Next = { idleMs: Number.POSITIVE_INFINITY };

/** Sends what is next and has it accepted. */
function accept(): void {
  const next = outbox.next();
  if (!('patch' in next)) throw new Error(`there is no patch to accept: ${JSON.stringify(next)}`);
  outbox.accepted(next.patch);
}

describe('reports', () => {
  test('nothing is sent before there is a report', () => {
    expect(outbox.next()).toEqual(nothing);
  });

  test('the first goes at once and whole', () => {
    outbox.report({ summary: { fail: 1 } }, 60, false);
    expect(outbox.next()).toEqual({ patch: { summary: { fail: 1 } } });
  });

  test('the next goes as a difference, and not before the interval is over', () => {
    outbox.report({ summary: { fail: 1, warn: 2 }, heartbeat: 'a' }, 60, false);
    accept();
    expect(outbox.next()).toEqual(nothing);

    outbox.report({ summary: { fail: 0, warn: 2 }, heartbeat: 'a' }, 60, false);
    nowMs += 59_000;
    expect(outbox.next()).toEqual({ idleMs: 1000 });
    nowMs += 1000;
    expect(outbox.next()).toEqual({ patch: { summary: { fail: 0 } } });
  });

  test('one that is urgent goes at once, and does not make the next one urgent', () => {
    outbox.report({ a: 1 }, 60, false);
    accept();
    outbox.report({ a: 2 }, 60, true);
    // What follows before it was sent does not take its urgency away.
    outbox.report({ a: 3 }, 60, false);
    expect(outbox.next()).toEqual({ patch: { a: 3 } });
    accept();
    outbox.report({ a: 4 }, 60, false);
    expect(outbox.next()).toEqual({ idleMs: 60_000 });
  });

  test('one that becomes urgent while another is on its way goes at once as well', () => {
    outbox.report({ a: 1 }, 60, true);
    const first = outbox.next();
    outbox.report({ a: 2 }, 60, true);
    if ('patch' in first) outbox.accepted(first.patch);
    expect(outbox.next()).toEqual({ patch: { a: 2 } });
  });

  test('one that was never answered does not wait for an interval', () => {
    outbox.report({ a: 1 }, 60, false);
    accept();
    outbox.report({ a: 2 }, 60, true);
    outbox.next();
    expect(outbox.next()).toEqual({ patch: { a: 2 } });
  });

  test('no more than thirty urgent ones go in an hour, and then again', () => {
    for (let i = 0; i < 30; i += 1) {
      outbox.report({ a: i }, 60, true);
      accept();
    }
    outbox.report({ a: 'more' }, 60, true);
    expect(outbox.next()).toEqual({ idleMs: 60_000 });
    nowMs += 3_600_000;
    outbox.report({ a: 'still more' }, 60, true);
    accept();
    outbox.report({ a: 'at once' }, 60, true);
    expect(outbox.next()).toEqual({ patch: { a: 'at once' } });
  });

  test('urgency is not kept for later where nothing has changed', () => {
    outbox.report({ a: 1 }, 60, false);
    accept();
    outbox.report({ a: 1 }, 60, true);
    expect(outbox.next()).toEqual(nothing);
    outbox.report({ a: 2 }, 60, false);
    expect(outbox.next()).toEqual({ idleMs: 60_000 });
  });

  test('top-level keys that are left out stay, and what is gone below them is removed', () => {
    outbox.report({ agent: { version: '1' }, checks: { a: 1, b: 2 } }, 0, false);
    accept();
    outbox.report({ checks: { b: 2 } }, 0, false);
    expect(outbox.next()).toEqual({ patch: { checks: { a: null } } });
  });

  test('the difference is taken from what was acknowledged, never from what was sent', () => {
    outbox.report({ a: 1, b: 1 }, 60, false);
    accept();
    outbox.report({ a: 2 }, 60, true);
    expect(outbox.next()).toEqual({ patch: { a: 2 } });
    // No answer came; meanwhile the report has gone on.
    outbox.report({ b: 2 }, 60, true);
    expect(outbox.next()).toEqual({ patch: { a: 2, b: 2 } });
    // And back to what the hub holds.
    outbox.report({ a: 1, b: 1 }, 60, true);
    expect(outbox.next()).toEqual(nothing);
  });

  test('one that was refused is tried again after the interval, urgent or not', () => {
    outbox.report({ a: 1 }, 60, true);
    outbox.refused();
    expect(outbox.next()).toEqual({ idleMs: 60_000 });
    nowMs += 60_000;
    expect(outbox.next()).toEqual({ patch: { a: 1 } });
  });

  test('one that the hub would refuse is told and not sent', () => {
    outbox.report({ 'a.b': 1 }, 60, true);
    expect(outbox.next()).toEqual({ problems: ['the key "a.b" is not allowed'] });
    outbox.refused();
    expect(outbox.next()).toEqual({ idleMs: 60_000 });
    nowMs += 60_000;
    expect(outbox.next()).toHaveProperty('problems');
  });

  test.each([
    ['nulls', { a: { b: null }, c: null }],
    ['undefined', { a: { b: undefined }, c: undefined, d: [{ e: undefined }] }],
    ['dates', { a: new Date(0) }],
    ['-0', { a: -0 }],
  ])('%s in a report are sent as JSON has them, once', (_what, properties) => {
    outbox.report(properties, 0, false);
    accept();
    expect(outbox.next()).toEqual(nothing);
    outbox.report(properties, 0, false);
    expect(outbox.next()).toEqual(nothing);
  });

  test('a report that is changed after it was given is not', () => {
    const properties = { a: [1] };
    outbox.report(properties, 0, false);
    accept();
    properties.a.push(2);
    expect(outbox.next()).toEqual(nothing);
    outbox.report(properties, 0, false);
    expect(outbox.next()).toEqual({ patch: { a: [1, 2] } });
  });
});

describe('what the hub really holds', () => {
  test('is where the next difference is taken from', () => {
    outbox.report({ a: { b: 1, c: 2 } }, 60, false);
    accept();
    // A recreated module: somebody else has written meanwhile.
    outbox.holds({ a: { b: 9, old: true } });
    nowMs += 60_000;
    expect(outbox.next()).toEqual({ patch: { a: { b: 1, c: 2, old: null } } });
  });

  test('is left alone where nobody here has reported it', () => {
    outbox.holds({ others: 1 });
    outbox.report({ a: 1 }, 0, false);
    expect(outbox.next()).toEqual({ patch: { a: 1 } });
  });
});

describe('hurry', () => {
  test('sends what waits for its interval', () => {
    outbox.report({ a: 1 }, 60, false);
    accept();
    outbox.report({ a: 2 }, 60, false);
    outbox.hurry();
    expect(outbox.next()).toEqual({ patch: { a: 2 } });
  });

  test('ends with a refusal, so that a report nobody wants holds nobody up', () => {
    outbox.report({ a: 1 }, 60, false);
    outbox.hurry();
    outbox.refused();
    expect(outbox.next()).toEqual({ idleMs: 60_000 });
  });
});

describe('messages', () => {
  const message = (body: unknown) => ({ output: 'alerts', body, properties: {} });

  /** Takes out all there are. */
  function bodies(): unknown[] {
    const sent: unknown[] = [];
    for (let next = outbox.next(); 'message' in next; next = outbox.next()) {
      sent.push(next.message.body);
      outbox.sent(next.message);
    }
    return sent;
  }

  test('go before reports, in their order, and stay until they were sent', () => {
    outbox.report({ a: 1 }, 60, true);
    outbox.send(message(1));
    outbox.send(message(2));
    expect(outbox.next()).toEqual({ message: message(1) });
    expect(outbox.next()).toEqual({ message: message(1) });
    expect(bodies()).toEqual([1, 2]);
    expect(outbox.next()).toEqual({ patch: { a: 1 } });
  });

  test('beyond a hundred the oldest are dropped', () => {
    for (let body = 1; body <= 103; body += 1) outbox.send(message(body));
    expect(bodies()).toEqual(Array.from({ length: 100 }, (_, i) => i + 4));
  });

  test('one dropped while it was on its way takes no other with it', () => {
    for (let body = 1; body <= 100; body += 1) outbox.send(message(body));
    const next = outbox.next();
    if (!('message' in next)) throw new Error('there must be a message');
    outbox.send(message(101));
    outbox.sent(next.message);
    expect(bodies()).toEqual(Array.from({ length: 100 }, (_, i) => i + 2));
  });
});

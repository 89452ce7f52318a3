import { beforeEach, describe, expect, test } from 'vitest';
import { createOutbox, type Next, type Outbox } from '../../../src/hub/reports/outbox.ts';

/** All keys that this version reports. */
const keys = ['a', 'b', 'c', 'd', 'agent', 'summary', 'checks', 'heartbeat', 'others'];

let nowMs = 0;
let outbox: Outbox;
beforeEach(() => {
  nowMs = 1_000_000;
  outbox = createOutbox({ now: () => nowMs, keys });
});

const nothing: Next = { idleMs: Number.POSITIVE_INFINITY };

/** Takes the next patch and acknowledges it. */
function accept(): void {
  const next = outbox.next();
  if (!('patch' in next)) throw new Error(`no patch to accept: ${JSON.stringify(next)}`);
  outbox.accepted(next.patch);
}

describe('reports', () => {
  test('nothing is sent before there is a report', () => {
    expect(outbox.next()).toEqual(nothing);
  });

  test('the first is sent at once and in full', () => {
    outbox.report({ summary: { fail: 1 } }, 60, false);
    expect(outbox.next()).toEqual({ patch: { summary: { fail: 1 } } });
  });

  test('the next is sent as a difference, and not before the interval has passed', () => {
    outbox.report({ summary: { fail: 1, warn: 2 }, heartbeat: 'a' }, 60, false);
    accept();
    expect(outbox.next()).toEqual(nothing);

    outbox.report({ summary: { fail: 0, warn: 2 }, heartbeat: 'a' }, 60, false);
    nowMs += 59_000;
    expect(outbox.next()).toEqual({ idleMs: 1000 });
    nowMs += 1000;
    expect(outbox.next()).toEqual({ patch: { summary: { fail: 0 } } });
  });

  test('an urgent one is sent at once and does not make the next one urgent', () => {
    outbox.report({ a: 1 }, 60, false);
    accept();
    outbox.report({ a: 2 }, 60, true);
    // A later report that is not urgent does not delay it.
    outbox.report({ a: 3 }, 60, false);
    expect(outbox.next()).toEqual({ patch: { a: 3 } });
    accept();
    outbox.report({ a: 4 }, 60, false);
    expect(outbox.next()).toEqual({ idleMs: 60_000 });
  });

  test('one that becomes urgent while another is being sent is also sent at once', () => {
    outbox.report({ a: 1 }, 60, true);
    const first = outbox.next();
    outbox.report({ a: 2 }, 60, true);
    if ('patch' in first) outbox.accepted(first.patch);
    expect(outbox.next()).toEqual({ patch: { a: 2 } });
  });

  test('an urgent one without a response is sent again without waiting for the interval', () => {
    outbox.report({ a: 1 }, 60, false);
    accept();
    outbox.report({ a: 2 }, 60, true);
    outbox.next();
    expect(outbox.next()).toEqual({ patch: { a: 2 } });
  });

  test('another one without a response is sent again after the interval', () => {
    outbox.report({ a: 1 }, 60, false);
    outbox.next();
    expect(outbox.next()).toEqual({ idleMs: 60_000 });
    nowMs += 60_000;
    expect(outbox.next()).toEqual({ patch: { a: 1 } });
  });

  test('urgent ones without a response count among the thirty', () => {
    outbox.report({ a: 1 }, 60, true);
    for (let i = 0; i < 30; i += 1) expect(outbox.next()).toHaveProperty('patch');
    expect(outbox.next()).toEqual({ idleMs: 60_000 });
  });

  test('at most thirty urgent ones are sent at once in an hour', () => {
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

  test('an urgent report without a change does not make the next one urgent', () => {
    outbox.report({ a: 1 }, 60, false);
    accept();
    outbox.report({ a: 1 }, 60, true);
    expect(outbox.next()).toEqual(nothing);
    outbox.report({ a: 2 }, 60, false);
    expect(outbox.next()).toEqual({ idleMs: 60_000 });
  });

  test('absent top-level keys keep their values, and absent keys below them are removed', () => {
    outbox.report({ agent: { version: '1' }, checks: { a: 1, b: 2 } }, 0, false);
    accept();
    outbox.report({ checks: { b: 2 } }, 0, false);
    expect(outbox.next()).toEqual({ patch: { checks: { a: null } } });
  });

  test('the difference is calculated from what was acknowledged, not from what was sent', () => {
    outbox.report({ a: 1, b: 1 }, 60, false);
    accept();
    outbox.report({ a: 2 }, 60, true);
    expect(outbox.next()).toEqual({ patch: { a: 2 } });
    // There was no response, and the report has changed since.
    outbox.report({ b: 2 }, 60, true);
    expect(outbox.next()).toEqual({ patch: { a: 2, b: 2 } });
    // And back to what the hub has.
    outbox.report({ a: 1, b: 1 }, 60, true);
    expect(outbox.next()).toEqual(nothing);
  });

  test('a rejected one is retried after the interval, even if urgent', () => {
    outbox.report({ a: 1 }, 60, true);
    outbox.rejected();
    expect(outbox.next()).toEqual({ idleMs: 60_000 });
    nowMs += 60_000;
    expect(outbox.next()).toEqual({ patch: { a: 1 } });
  });

  test('one that the hub would reject is not sent, and its problems are returned', () => {
    outbox.report({ 'a.b': 1 }, 60, true);
    expect(outbox.next()).toEqual({ problems: ['the key "a.b" is not allowed'] });
    outbox.rejected();
    expect(outbox.next()).toEqual({ idleMs: 60_000 });
    nowMs += 60_000;
    expect(outbox.next()).toHaveProperty('problems');
  });

  test.each([
    ['nulls', { a: { b: null }, c: null }],
    ['undefined', { a: { b: undefined }, c: undefined, d: [{ e: undefined }] }],
    ['dates', { a: new Date(0) }],
    ['-0', { a: -0 }],
  ])('%s in a report are sent as JSON represents them, once', (_what, properties) => {
    outbox.report(properties, 0, false);
    accept();
    expect(outbox.next()).toEqual(nothing);
    outbox.report(properties, 0, false);
    expect(outbox.next()).toEqual(nothing);
  });

  test('later changes to the object of a report have no effect', () => {
    const properties = { a: [1] };
    outbox.report(properties, 0, false);
    accept();
    properties.a.push(2);
    expect(outbox.next()).toEqual(nothing);
    outbox.report(properties, 0, false);
    expect(outbox.next()).toEqual({ patch: { a: [1, 2] } });
  });
});

describe('the properties read from the hub', () => {
  test('that differ from what was acknowledged long ago are corrected', () => {
    outbox.report({ a: { b: 1, c: 2 } }, 60, false);
    accept();
    nowMs += 60_000;
    // The module was recreated, and the twin was written meanwhile.
    expect(outbox.read({ a: { b: 9, old: true } })).toBeUndefined();
    const patch = { a: { b: 1, c: 2, old: null } };
    expect(outbox.next()).toEqual({ patch });
    outbox.accepted(patch);
    expect(outbox.next()).toEqual(nothing);
  });

  test('are read again before a patch that was just acknowledged counts as lost', () => {
    outbox.report({ a: 1 }, 10, false);
    accept();
    outbox.report({ a: 2 }, 10, false);
    nowMs += 10_000;
    accept();
    nowMs += 20_000;
    // edgeHub has not sent the last patch to IoT Hub yet.
    expect(outbox.read({ a: 1 })).toBe(40_000);
    expect(outbox.next()).toEqual(nothing);
    nowMs += 40_000;
    expect(outbox.read({ a: 1 })).toBeUndefined();
    expect(outbox.next()).toEqual({ patch: { a: 2 } });
  });

  test('need no correction when the second look shows the patch', () => {
    outbox.report({ a: 1 }, 10, false);
    accept();
    expect(outbox.read({})).toBe(60_000);
    nowMs += 60_000;
    expect(outbox.read({ a: 1 })).toBeUndefined();
    expect(outbox.next()).toEqual(nothing);
  });

  test('are no proof against what was acknowledged: a report that equals them is still sent', () => {
    outbox.report({ a: 'pass' }, 0, false);
    accept();
    outbox.report({ a: 'fail' }, 0, false);
    accept();
    // edgeHub restarts, and returns IoT Hub's twin without the last patch, which it sends to IoT Hub later.
    outbox.read({ a: 'pass' });
    outbox.report({ a: 'pass' }, 0, false);
    expect(outbox.next()).toEqual({ patch: { a: 'pass' } });
  });

  test('lead to one patch that is right whether or not the acknowledged one was lost', () => {
    outbox.report({ a: { b: 1 }, c: 1 }, 0, false);
    accept();
    outbox.report({ a: { b: 2, d: 1 }, c: 1 }, 0, false);
    accept();
    outbox.read({ a: { b: 1 }, c: 1 });
    outbox.report({ a: { b: 2 }, c: 2 }, 0, false);
    expect(outbox.next()).toEqual({ patch: { a: { b: 2, d: null }, c: 2 } });
  });

  test('are read again at most three times in a row', () => {
    outbox.report({ a: 0 }, 0, false);
    const again: unknown[] = [];
    for (let a = 1; a <= 5; a += 1) {
      outbox.report({ a }, 0, false);
      accept();
      again.push(outbox.read({ a: 0 }));
    }
    expect(again).toEqual([60_000, 60_000, 60_000, undefined, undefined]);
  });

  test('are read again soon after the start, because an earlier process may have sent patches that are not there yet', () => {
    nowMs += 1000;
    expect(outbox.read({})).toBe(59_000);
    nowMs += 59_000;
    expect(outbox.read({})).toBeUndefined();
  });

  test('keep the keys that this version has, but has not reported', () => {
    outbox.read({ others: 1 });
    outbox.report({ a: 1 }, 0, false);
    expect(outbox.next()).toEqual({ patch: { a: 1 } });
  });

  test('lose the keys of other versions, with the next report', () => {
    outbox.read({ older: { x: 1 }, 'not.removable': 1, a: 1 });
    expect(outbox.next()).toEqual(nothing);
    outbox.report({ a: 1 }, 0, false);
    nowMs += 60_000;
    outbox.read({ older: { x: 1 }, 'not.removable': 1, a: 1 });
    expect(outbox.next()).toEqual({ patch: { a: 1, older: null } });
    accept();
    expect(outbox.next()).toEqual(nothing);
  });
});

describe('skipInterval', () => {
  test('sends a report that waits for the interval', () => {
    outbox.report({ a: 1 }, 60, false);
    accept();
    outbox.report({ a: 2 }, 60, false);
    outbox.skipInterval();
    expect(outbox.next()).toEqual({ patch: { a: 2 } });
  });

  test('ends with a rejection, so that a rejected report does not delay the shutdown', () => {
    outbox.report({ a: 1 }, 60, false);
    outbox.skipInterval();
    outbox.rejected();
    expect(outbox.next()).toEqual({ idleMs: 60_000 });
  });
});

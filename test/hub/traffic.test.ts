import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { budgets } from '../../bench/budgets.ts';
import { createHub } from '../../src/hub/hub.ts';
import { applyPatch, isObject, type Json } from '../../src/hub/merge-patch.ts';
import { type OpenSession, PatchRejected, type SessionEvents } from '../../src/hub/session.ts';

/** How an edgeHub misbehaves. */
interface Behaviour {
  /** Nothing listens. */
  readonly down?: boolean;
  /** Reading the twin takes this long. */
  readonly readSeconds?: number;
  /** edgeHub has no copy of the twin. */
  readonly unknown?: boolean;
  /** Acknowledged patches do not arrive in the twin that is read. */
  readonly stale?: boolean;
  readonly reports?: 'silent' | 'rejected' | 'alternating';
  readonly messages?: 'closes' | 'unacknowledged';
}

const hourMs = 3_600_000;
const wait = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));
const forever = new Promise<never>(() => {});

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-11-21T20:30:00Z') });
});
afterEach(() => {
  vi.useRealTimers();
});

/** The same numbers in every run. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

/** An edgeHub for one module, which counts what it receives. A new connection ends the one before. */
function fakeEdgeHub(behaviour: Behaviour) {
  const counts = { connects: 0, reads: 0, patches: 0, messages: 0, lines: 0 };
  let reported: Json = {};
  let current: SessionEvents | undefined;
  const open: OpenSession = async (_methods, events) => {
    counts.connects += 1;
    if (behaviour.down) throw new Error('connect ECONNREFUSED');
    current?.onEnd(new Error('Another connection has this client id'));
    current = events;
    const lose = () => {
      if (current !== events) return;
      current = undefined;
      events.onEnd(new Error('Connection closed'));
    };
    return {
      async readTwin() {
        counts.reads += 1;
        if (behaviour.readSeconds) await wait(behaviour.readSeconds * 1000);
        if (behaviour.unknown) return { desired: {}, reported: {} };
        return { desired: { $version: 1 }, reported: { ...(behaviour.stale ? {} : reported), $version: 1 } };
      },
      async update(patch) {
        counts.patches += 1;
        if (behaviour.reports === 'silent') await forever;
        if (behaviour.reports === 'rejected') throw new PatchRejected('Status 400');
        if (behaviour.reports === 'alternating' && counts.patches % 3 > 0) {
          throw new PatchRejected(`Status ${400 + (counts.patches % 3)}`);
        }
        const next = applyPatch(reported, patch);
        if (isObject(next)) reported = next;
      },
      async send() {
        counts.messages += 1;
        if (behaviour.messages === 'closes') lose();
        if (behaviour.messages) await forever;
      },
      async close() {
        if (current === events) current = undefined;
      },
    };
  };
  return { counts, open, push: (error: Error) => current?.onMissed(error), reported: () => reported };
}

const line = (counts: { lines: number }) => () => {
  counts.lines += 1;
};

/** A hub on a fake edgeHub, with the timings of the product. */
function hubOn({ counts, open }: ReturnType<typeof fakeEdgeHub>, seed: number) {
  const count = line(counts);
  const hub = createHub({
    open,
    log: { info: count, warn: count, error: count },
    random: randomFrom(seed),
    now: () => new Date(),
    keys: ['agent', 'checks'],
    summarise: (leftOut) => ({ output: 'alerts', body: { leftOut }, properties: {} }),
  });
  hub.start({ methods: {}, onDesired: () => {} });
  onTestFinished(() => hub.close(AbortSignal.abort()));
  return hub;
}

/** The most of each kind in any of three hours, in which `act` happens every ten seconds. */
async function busiestHour({ counts }: ReturnType<typeof fakeEdgeHub>, act: (step: number) => void) {
  const busiest = { ...counts };
  for (let hour = 0; hour < 3; hour += 1) {
    const before = { ...counts };
    for (let step = 0; step < 360; step += 1) {
      act(hour * 360 + step);
      await vi.advanceTimersByTimeAsync(hourMs / 360);
    }
    for (const key of Object.keys(counts) as (keyof typeof counts)[]) {
      busiest[key] = Math.max(hour === 0 ? 0 : busiest[key], counts[key] - before[key]);
    }
  }
  return busiest;
}

const alert = (body: unknown) => ({ output: 'alerts', body, properties: {} });

/** A subject whose status changes every ten seconds; every change is urgent and an alert. */
const flapping =
  (...hubs: readonly ReturnType<typeof hubOn>[]) =>
  (step: number) => {
    for (const [i, hub] of hubs.entries()) {
      hub.report({ agent: `instance ${i}`, checks: { a: step } }, 60, true);
      hub.send(alert(step));
    }
  };

/** A subject that changed once. */
const quiet = (hub: ReturnType<typeof hubOn>) => (step: number) => {
  hub.report({ agent: 'instance', checks: { a: 1 } }, 60, step === 0);
  if (step === 0) hub.send(alert(step));
};

describe('in an hour, whatever happens, the traffic has a limit', () => {
  test.each<[string, Behaviour, typeof quiet, object]>([
    [
      'nothing happens',
      {},
      quiet,
      { connects: 2, reads: 7, patches: budgets.test.patchesInQuietHour, messages: 1, lines: 1 },
    ],
    [
      'a subject flaps every ten seconds',
      {},
      flapping,
      { connects: 2, reads: 7, patches: 90, messages: 360, lines: 1 },
    ],
    [
      'edgeHub closes the connection at each message',
      { messages: 'closes' },
      flapping,
      { connects: 20, reads: 24, patches: 90, messages: 18, lines: 45 },
    ],
    [
      'edgeHub acknowledges no message',
      { messages: 'unacknowledged' },
      flapping,
      { connects: 2, reads: 7, patches: 90, messages: 18, lines: 12 },
    ],
    [
      'edgeHub answers no report',
      { reports: 'silent' },
      flapping,
      { connects: 60, reads: 60, patches: 60, messages: 400, lines: 120 },
    ],
    [
      'edgeHub rejects every report',
      { reports: 'rejected' },
      flapping,
      { connects: 2, reads: 7, patches: 90, messages: 360, lines: 2 },
    ],
    [
      'edgeHub rejects some reports, for another reason each time',
      { reports: 'alternating' },
      flapping,
      { connects: 2, reads: 7, patches: 90, messages: 360, lines: 12 },
    ],
    [
      'IoT Hub is away, and edgeHub needs 78 s for its stored twin',
      { readSeconds: 78 },
      flapping,
      { connects: 2, reads: 7, patches: 90, messages: 360, lines: 1 },
    ],
    [
      'IoT Hub is away, and edgeHub has no twin',
      { readSeconds: 20, unknown: true },
      flapping,
      { connects: 2, reads: 90, patches: 90, messages: 360, lines: 2 },
    ],
    [
      'edgeHub is down',
      { down: true },
      flapping,
      { connects: 300, reads: 0, patches: 0, messages: 0, lines: 300 },
    ],
    [
      'what edgeHub acknowledged does not show in its twin',
      { stale: true },
      quiet,
      { connects: 2, reads: 9, patches: 7, messages: 1, lines: 1 },
    ],
  ])('when %s', async (_what, behaviour, change, limits) => {
    const edgeHub = fakeEdgeHub(behaviour);
    const busiest = await busiestHour(edgeHub, change(hubOn(edgeHub, 1)));
    for (const [kind, limit] of Object.entries(limits)) {
      expect({ [kind]: busiest[kind as keyof typeof busiest] }).toEqual({
        [kind]: expect.toSatisfy((n) => n <= limit),
      });
    }
  });

  test('when two instances of the module end each other’s sessions', async () => {
    const edgeHub = fakeEdgeHub({});
    const hubs = [hubOn(edgeHub, 1), hubOn(edgeHub, 2)];
    const busiest = await busiestHour(edgeHub, flapping(...hubs));
    // Of both together.
    expect(busiest.reads).toBeLessThanOrEqual(160);
    expect(busiest.patches).toBeLessThanOrEqual(180);
    expect(busiest.lines).toBeLessThanOrEqual(300);
    for (const hub of hubs) {
      const { problem, takeover } = hub.status();
      expect(problem?.message ?? takeover).toMatch(
        /^Another instance of this module is probably connected, /,
      );
    }
  });

  test('when edgeHub pushes something else than desired properties again and again', async () => {
    const edgeHub = fakeEdgeHub({});
    const change = quiet(hubOn(edgeHub, 1));
    const busiest = await busiestHour(edgeHub, (step) => {
      change(step);
      edgeHub.push(new Error('garbage'));
    });
    expect(busiest.reads).toBeLessThanOrEqual(100);
    expect(busiest.lines).toBeLessThanOrEqual(100);
  });
});

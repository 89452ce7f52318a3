import { expect, test } from 'vitest';
import { CannotTell } from '../../../src/check.ts';
import { messageFlow } from '../../../src/checks/edge/message-flow.ts';
import { runCheck } from '../../../src/run/runner.ts';
import { createCheckMemory } from '../../../src/state/check-memory.ts';
import { edgeHubPage } from '../../support/fixtures/edge-hub-page.ts';
import { fakeHost } from '../../support/fixtures/fake-host.ts';
import { type Random, seeded, seedOf } from '../../support/random.ts';

// A month of edgeHub and of the agent, with a look every five minutes, in which both restart, pages are missing or lack series, IoT
// Hub is lost for minutes and queues fill and drain. Nothing of that is a finding; what goes wrong each day is.

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const start = Date.parse('2026-11-01T00:00:00Z');
const everyMinutes = 5;
/** The window, the twelfth by which it is exact, and a look. */
const remainsMinutes = 60 + 5 + 5;

/** Something that goes wrong for some minutes, and the finding it must cause. */
interface Fault {
  readonly name: string;
  readonly finding: string;
  /** What it causes, too, if it lasts. */
  readonly consequence?: string;
  readonly minutes: number;
  /** By edgeHub, so that it is found after the agent was away. */
  readonly isCounted?: true;
  /** For how long it takes to be found, and stays a finding after its end. */
  readonly after?: number;
  apply(hub: Hub, minutesIn: number): void;
}

/** What edgeHub is and counts. */
interface Hub {
  instance: string;
  startedAt: number;
  counters: Map<string, number>;
  queues: Map<string, number>;
  losses: number;
  ends: number;
  connected: boolean;
  /** Set by a fault. */
  offline: boolean;
  refused: Map<string, number>;
}

const newHub = (instance: string, startedAt: number): Hub => ({
  instance,
  startedAt,
  counters: new Map(),
  queues: new Map(),
  losses: 0,
  ends: 0,
  connected: false,
  offline: false,
  refused: new Map(),
});

const add = (counters: Map<string, number>, name: string, more: number) =>
  counters.set(name, (counters.get(name) ?? 0) + more);

const faults: readonly Fault[] = [
  {
    name: 'an output without a route',
    finding: 'filter/out no_route',
    isCounted: true,
    minutes: 1,
    apply: (hub) => add(hub.counters, 'no_route gw1/filter/out', 3),
  },
  {
    name: 'messages that expire',
    finding: 'opcua/values expired',
    isCounted: true,
    minutes: 1,
    apply: (hub) => add(hub.counters, 'ttl_expiry gw1/opcua/values', 40),
  },
  {
    name: 'a client with a wrong key',
    finding: 'sensor-9 clients_refused',
    isCounted: true,
    minutes: 30,
    apply: (hub) => add(hub.refused, 'sensor-9', 2),
  },
  {
    name: 'a module that no longer reads',
    finding: 'store/in queue_growing',
    minutes: 70,
    apply: (hub, minutesIn) => hub.queues.set('gw1/store/in', 100 + minutesIn * 60),
  },
  {
    name: 'a queue that is too long',
    finding: 'iothub queue_long',
    minutes: 20,
    apply: (hub) => hub.queues.set('iothub', 12_000),
  },
  {
    name: 'IoT Hub out of reach',
    finding: 'upstream upstream_offline',
    consequence: 'iothub queue_growing',
    minutes: 20,
    apply(hub) {
      hub.offline = true;
    },
  },
  {
    name: 'alerts without a route',
    finding: 'hardening/alerts no_route',
    isCounted: true,
    minutes: 1,
    // Until the next alert, in the simulation an hour later.
    after: 130,
    apply: (hub) => add(hub.counters, 'no_route gw1/hardening/alerts', 1),
  },
];

function restartHub(hub: Hub, now: number, random: Random): Hub {
  const next = newHub(`${hub.instance.slice(0, 8)}${random.below(1e9)}`, now);
  // What is stored survives.
  next.queues = new Map(hub.queues);
  return next;
}

/** A minute of edgeHub's normal life. */
function live(hub: Hub, now: number, blipUntil: number): void {
  const reachable = !hub.offline && now >= blipUntil;
  const age = now - hub.startedAt;
  if (hub.connected && !reachable) {
    hub.connected = false;
    hub.losses += 1;
  } else if (!hub.connected && reachable && age >= 4 * minute) {
    hub.connected = true;
    hub.ends += 1;
  }
  // A batch every quarter of an hour, for a module that takes ten minutes for it.
  const phase = (now / minute) % 15;
  hub.queues.set('gw1/anomaly/in', phase < 10 ? 3000 - phase * 300 : 0);
  hub.queues.set('iothub', hub.connected ? (now / minute) % 7 : (hub.queues.get('iothub') ?? 0) + 20);
  hub.queues.set('gw1/store/in', 4);
}

test('a month has no false alarm, and each fault is found', async () => {
  const random = seeded(seedOf('MONTH_SEED'));
  const { signal } = new AbortController();
  const policy = messageFlow.params.parse({});
  let now = start;
  let hub = newHub('first', start - 40 * day);
  add(hub.counters, 'no_route gw1/old/out', 5000);
  hub.connected = true;
  hub.ends = 1;
  let memory = createCheckMemory({ now: () => new Date(now) });
  let saved = memory.snapshot();
  let alertAt: Date | undefined;
  let unreadableUntil = 0;
  let awayUntil = 0;
  let blipUntil = 0;
  let lacking = false;
  const host = fakeHost({
    names: { device: 'gw1' },
    now: () => new Date(now),
    // Another after each restart of the agent.
    memory: {
      record: (series, value) => memory.record(series, value),
      recall: (name) => memory.recall(name),
      keep: (name, value) => memory.keep(name, value),
    },
    alerts: () => ({ source: 'hardening/alerts', lastAt: alertAt }),
    async runtimeMetrics() {
      if (now < unreadableUntil) throw new CannotTell('unreadable', 'edgeHub is starting');
      return edgeHubPage({
        readAt: new Date(now),
        instance: hub.instance,
        drops: lacking ? {} : Object.fromEntries(hub.counters),
        refused: lacking ? {} : Object.fromEntries(hub.refused),
        queues: now - hub.startedAt < 2 * minute ? {} : Object.fromEntries(hub.queues),
        ...(hub.losses > 0 ? { losses: hub.losses } : {}),
        ...(hub.ends > 0 ? { ends: hub.ends } : {}),
      });
    },
    modules: async () => {
      throw new CannotTell('timed_out', 'The runtime is busy');
    },
    containers: async () => {
      throw new CannotTell('no_access', 'No socket');
    },
  });

  const falseAlarms: string[] = [];
  const found = new Set<string>();
  const injected: { readonly fault: Fault; readonly from: number; readonly until: number }[] = [];
  for (let d = 0; d < 31; d += 1) {
    for (const [i, fault] of faults.entries()) {
      if (d === 0 || random.below(3) > 0) continue;
      const from = start + d * day + (1 + i * 3) * hour + random.below(30) * minute;
      const { minutes, after = remainsMinutes } = fault;
      injected.push({ fault, from, until: from + (minutes + after) * minute });
    }
  }
  expect(new Set(injected.map(({ fault }) => fault.name)).size).toBe(faults.length);

  let looks = 0;
  let agentAway = 0;
  for (; now < start + 31 * day; now += minute) {
    const current = injected.filter(({ from, until }) => now >= from && now < until);
    const active = current.filter(({ fault, from }) => now < from + fault.minutes * minute);
    // Life goes on around the faults; nothing restarts while one is built up, which would end it.
    if (active.length === 0) {
      if (random.below(3 * 1440) === 0) {
        hub = restartHub(hub, now, random);
        if (random.below(2) === 0) unreadableUntil = now + 3 * minute;
      }
      if (random.below(2 * 1440) === 0) {
        // What is over when the agent is back has left nothing to see, but for what is counted.
        const back = now + (random.below(5 * 60) + 1) * minute;
        const seesAll = injected.every(({ fault, from }) => fault.isCounted || from < now || from > back);
        if (seesAll) awayUntil = back;
      }
      // Two that meet two looks in a row are no blip.
      if (random.below(1440) === 0 && now > blipUntil + 10 * minute) {
        blipUntil = now + (1 + random.below(4)) * minute;
      }
    }
    hub.offline = false;
    for (const { fault, from } of active) fault.apply(hub, (now - from) / minute);
    live(hub, now, blipUntil);
    for (const { fault, from } of active) {
      if (fault.finding.includes('queue')) fault.apply(hub, (now - from) / minute);
    }
    if ((now / minute) % 60 === 0) {
      alertAt = new Date(now);
      saved = memory.snapshot();
    }
    if (now < awayUntil) {
      // Killed, it comes back with what it had saved within the hour.
      if (now + minute >= awayUntil) {
        memory = createCheckMemory({ now: () => new Date(now), saved: structuredClone(saved) });
        agentAway += 1;
      }
      continue;
    }
    if ((now / minute) % everyMinutes !== 0) continue;
    looks += 1;
    lacking = random.below(100) === 0;
    const { findings } = await runCheck(messageFlow, policy, host, 5, signal);
    for (const { target, status, reason, message } of findings) {
      expect(reason).not.toBe('internal_error');
      if (status !== 'warn' && status !== 'fail') continue;
      const name = `${target} ${reason}`;
      const causedBy = (what: 'finding' | 'consequence') =>
        injected.findLast(
          ({ fault, from, until }) =>
            fault[what] === name && now >= from && now < until + Math.max(0, awayUntil - from),
        );
      const cause = causedBy('finding');
      if (cause) found.add(`${cause.from}`);
      else if (!causedBy('consequence'))
        falseAlarms.push(`${new Date(now).toISOString()} ${name}: ${message}`);
    }
  }
  expect(falseAlarms).toEqual([]);
  expect(looks).toBeGreaterThan(7000);
  expect(agentAway).toBeGreaterThan(2);
  const missed = injected.filter(({ from }) => !found.has(`${from}`));
  expect(missed.map(({ fault, from }) => `${new Date(from).toISOString()} ${fault.name}`)).toEqual([]);
}, 60_000);

import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import type { FaultChange } from '../../simulator/edge-hub/faults.ts';
import { type Random, seeded, seedOf } from '../support/random.ts';
import { comparable, documentInForce, expected, policyOf } from './expected.ts';
import { createWorld, residentMegabytes, type World, within } from './world.ts';

const faultsWanted = 200;
/** Beyond it nothing is waited for any more. */
const chaosMs = 52_000;
const recoveryMs = 60_000;
const mostGrowthMegabytes = 10;
/** After which nothing is loaded for the first time any more. */
const warmUpRounds = 8;
/** What the simulator says of things that IoT Hub does not take; not of those that a switch refuses. */
const refused = /refused with 400(?!.*switch)|goes nowhere|more than/;

const faults: readonly [FaultChange, ...FaultChange[]] = [
  { reported: 'empty400' },
  { reported: 'silent' },
  { twin: 'offline' },
  { twin: 'silent' },
  { twin: 'empty500' },
  { rejectSas: true },
  { certificate: 'expired' },
  { certificate: 'notYetValid' },
  { certificate: 'wrongName' },
  { down: true },
  { down: false, dropConnections: true },
  { down: false, wipeSessions: true },
  { dropConnections: true, twin: 'offline' },
  { wipeSessions: true, twin: 'silent' },
];

/** What the twin's desired properties ask for. */
interface Wish {
  readonly kind: 'good' | 'bad' | 'removed';
  readonly version: number;
  /** The policy that is good; the last one that was, where this one is bad. */
  readonly note: string;
  readonly maxFindings: number;
}

test('whatever happens, within a minute the twin holds what the agent says', {
  timeout: 150_000,
}, async () => {
  const random = seeded(seedOf('CHAOS_SEED'));
  const world = await createWorld();
  await wish(world, random, 'good');
  await world.startAgent();
  const end = performance.now() + chaosMs;
  const waited = (ms: number) => Math.max(0, Math.min(ms, end - performance.now()));
  let resident: number[] = [];

  let count = 0;
  const fault = async (change: FaultChange) => {
    const before = world.activity();
    await world.fault(change);
    count += 1;
    await within(waited(60), () => world.activity() > before);
  };
  while (count < faultsWanted) {
    // In the midst of the faults, so that they meet what it sets going.
    const faultsAfter = random.below(4);
    for (let i = 3 + random.below(4); i > 0; i -= 1) await fault(random.pick(faults));
    await event(world, random);
    for (let i = faultsAfter; i > 0; i -= 1) await fault(random.pick(faults));
    // In the first half only, so that the last agent has lived long enough to show what it takes.
    if (count < faultsWanted / 2 && random.below(4) === 0) {
      await restart(world, random);
      resident = [];
    }
    if (random.below(5) > 0) {
      await world.faultsOff();
      // Else it may be deaf for as long as it waits for an answer.
      if (random.below(3) > 0) await fault({ dropConnections: true });
      const { reports } = world.counts();
      await within(waited(3000), () => world.counts().reports > reports);
    }
    expectAlive(world);
    resident.push(await residentMegabytes(world.agent()));
  }

  const last = await wish(world, random, random.pick(['good', 'good', 'bad', 'removed']));
  await world.faultsOff();
  const from = performance.now();
  const settled = await within(recoveryMs, () => same(world, last), 500);
  const seconds = (performance.now() - from) / 1000;
  resident.push(await residentMegabytes(world.agent()));
  const { connects, reports } = world.counts();
  console.log(
    `${count} faults, ${connects} connections, ${reports} reports; right again after ${seconds.toFixed(1)} s; ` +
      `MB resident: ${resident.map(Math.round).join(' ')}`,
  );
  if (!settled) console.log(log(world));
  const { wanted, policy } = await told(world, last);
  expect(policy).toMatchObject({ version: last.kind === 'removed' ? 0 : last.version });
  expect(comparable(world.twin().reported)).toEqual(wanted);
  expect(settled).toBe(true);
  // No power was cut: a process that was killed leaves a whole file behind.
  expect(world.twin().reported).toMatchObject({ checks: { stateFolder: { status: 'pass' } } });
  expect(world.simulatorLines().filter((line) => refused.test(line))).toEqual([]);
  const [warm = 0] = resident.slice(warmUpRounds);
  expect((resident.at(-1) ?? 0) - warm).toBeLessThan(mostGrowthMegabytes);
});

/** What the reported properties should be, by the agent's own report, and what it says of its policy. */
async function told(world: World, { kind, note, maxFindings }: Wish) {
  const { body } = await world.agent().get('/api/report');
  const document = {
    good: () => world.policies.good(note, maxFindings),
    // Which of the good ones the agent saw last is its own affair.
    bad: () => documentInForce(world.twin().reported),
    removed: () => world.policies.good('fallback', 20),
  }[kind]();
  return { policy: policyOf(body), wanted: document === undefined ? undefined : expected(body, document) };
}

async function same(world: World, last: Wish): Promise<boolean> {
  const { wanted, policy } = await told(world, last);
  return (
    policy.accepted === (last.kind !== 'bad') &&
    policy.version === (last.kind === 'removed' ? 0 : last.version) &&
    isDeepStrictEqual(wanted, comparable(world.twin().reported))
  );
}

async function wish(world: World, random: Random, kind: Wish['kind']): Promise<Wish> {
  const note = `policy ${random.below(1000)}`;
  const maxFindings = random.pick([1, 2, 3, 20]);
  const version = await world.desire(world.policies.patches[kind](note, maxFindings));
  return { kind, version, note, maxFindings };
}

/** Something other than a switch. */
async function event(world: World, random: Random): Promise<void> {
  switch (random.below(8)) {
    case 0:
    case 1:
      await wish(world, random, 'good');
      return;
    case 2:
      await wish(world, random, random.pick(['bad', 'removed']));
      return;
    case 3:
    case 4:
      return world.togglePort();
    case 5:
      return world.restartSimulator();
    case 6:
      // An answer there may be or not; what counts is that nobody is harmed by being asked.
      void world.invoke(random.pick(['runChecks', 'getReport', 'nonsense']), {});
  }
}

async function restart(world: World, random: Random): Promise<void> {
  const agent = world.agent();
  if (random.below(2) === 0) {
    agent.child.kill('SIGKILL');
    await agent.ended;
  } else {
    const { code, ms } = await agent.stop();
    expect([code, ms < 8000], `SIGTERM took ${ms} ms\n${agent.out()}`).toEqual([0, true]);
  }
  await world.startAgent();
}

function expectAlive(world: World): void {
  const { child, err, out } = world.agent();
  expect([child.exitCode, child.signalCode, err()], out()).toEqual([null, null, '']);
}

/** The end of what both sides had to say. */
const log = (world: World): string =>
  [world.agent().out().split('\n').slice(-60), world.simulatorLines().slice(-40)].flat().join('\n');

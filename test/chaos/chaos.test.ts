import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import type { FaultChange } from '../../simulator/edge-hub/faults.ts';
import { type Random, seeded, seedOf } from '../support/random.ts';
import { comparable, expectedReported, policyInForce, policyStateOf } from './expected.ts';
import { createWorld, residentMegabytes, type World, within } from './world.ts';

const faultCount = 200;
/** After this the remaining faults follow each other without waits. */
const chaosMs = 52_000;
/** The agent waits for a lost answer until edgeHub without IoT Hub would have answered, and up to a minute to reconnect. */
const recoveryMs = 200_000;
const maxGrowthMegabytes = 10;
/** By then all code is loaded, so memory growth after it counts. */
const warmUpRounds = 8;
/** Simulator log lines about input that IoT Hub would reject, but not rejections caused by a fault. */
const invalidInput = /Rejected reported properties(?!.*: the fault )|Dropped a message|more than the maximum/;

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
  { twin: 'slow', twinDelaySeconds: 0.5 },
  { twin: 'stored', twinDelaySeconds: 0.5 },
  { reportDelaySeconds: 1 },
  { messages: 'unacknowledged' },
  { messages: 'closes' },
  { workload: 'slow', workloadDelaySeconds: 0.5 },
  { workload: 'error' },
  { workload: 'hangs' },
  { full: true },
  { reported: 'body429' },
  { clockOffsetSeconds: -3600 },
  { clockOffsetSeconds: 7200, reauthenticationSeconds: 0.1 },
  { down: false, renewCertificate: true },
  { dropConnections: true, reportDelaySeconds: 5 },
  { dropConnections: true, twin: 'offline' },
  { wipeSessions: true, twin: 'silent' },
];

/** A change of the twin's desired properties. */
interface Desired {
  readonly kind: 'valid' | 'invalid' | 'removed';
  readonly version: number;
  readonly note: string;
  readonly maxFindings: number;
}

test('within four minutes of any faults the twin agrees with the agent', {
  timeout: 300_000,
}, async () => {
  const random = seeded(seedOf('CHAOS_SEED'));
  const world = await createWorld();
  await setDesired(world, random, 'valid');
  await world.startAgent();
  const end = performance.now() + chaosMs;
  const untilEnd = (ms: number) => Math.max(0, Math.min(ms, end - performance.now()));
  let resident: number[] = [];

  let count = 0;
  const fault = async (change: FaultChange) => {
    const before = world.activity();
    await world.fault(change);
    count += 1;
    await within(untilEnd(60), () => world.activity() > before);
  };
  while (count < faultCount) {
    // Faults before and after the event, so that they overlap with its effects.
    const faultsAfter = random.below(4);
    for (let i = 3 + random.below(4); i > 0; i -= 1) await fault(random.pick(faults));
    await randomEvent(world, random);
    for (let i = faultsAfter; i > 0; i -= 1) await fault(random.pick(faults));
    // In the first half only, so that the last agent runs long enough for a leak to show.
    if (count < faultCount / 2 && random.below(4) === 0) {
      await restartAgent(world, random);
      resident = [];
    }
    if (random.below(5) > 0) {
      await world.faultsOff();
      // Without a drop the agent may wait for a lost answer until it times out.
      if (random.below(3) > 0) await fault({ dropConnections: true });
      const { reports } = world.counts();
      await within(untilEnd(3000), () => world.counts().reports > reports);
    }
    expectAlive(world);
    resident.push(await residentMegabytes(world.agent()));
  }

  const last = await setDesired(world, random, random.pick(['valid', 'valid', 'invalid', 'removed']));
  await world.faultsOff();
  const from = performance.now();
  const settled = await within(recoveryMs, () => agrees(world, last), 500);
  const seconds = (performance.now() - from) / 1000;
  resident.push(await residentMegabytes(world.agent()));
  const { connects, reports } = world.counts();
  console.log(
    `${count} faults, ${connects} connections, ${reports} reports; recovered after ${seconds.toFixed(1)} s; ` +
      `resident MB: ${resident.map(Math.round).join(' ')}`,
  );
  if (!settled) console.log(recentLog(world));
  const { wanted, policy } = await agentView(world, last);
  expect(policy).toMatchObject({ version: last.kind === 'removed' ? 0 : last.version });
  expect(comparable(world.twin().reported)).toEqual(wanted);
  expect(settled).toBe(true);
  // SIGKILL must not damage the state file: it is replaced atomically.
  expect(world.twin().reported).toMatchObject({ checks: { stateFolder: { status: 'pass' } } });
  expect(world.simulatorLines().filter((line) => invalidInput.test(line))).toEqual([]);
  const [warm = 0] = resident.slice(warmUpRounds);
  expect((resident.at(-1) ?? 0) - warm).toBeLessThan(maxGrowthMegabytes);
});

/** The reported properties that follow from the agent's own report, and the policy state in that report. */
async function agentView(world: World, { kind, note, maxFindings }: Desired) {
  const { body } = await world.agent().get('/api/report');
  const document = {
    valid: () => world.policies.valid(note, maxFindings),
    // Any of the earlier valid policies: the agent may have missed some of them.
    invalid: () => policyInForce(world.twin().reported),
    removed: () => world.policies.valid('fallback', 20),
  }[kind]();
  const wanted = document === undefined ? undefined : expectedReported(body, document);
  return { policy: policyStateOf(body), wanted };
}

async function agrees(world: World, last: Desired): Promise<boolean> {
  const { wanted, policy } = await agentView(world, last);
  return (
    policy.accepted === (last.kind !== 'invalid') &&
    policy.version === (last.kind === 'removed' ? 0 : last.version) &&
    isDeepStrictEqual(wanted, comparable(world.twin().reported))
  );
}

async function setDesired(world: World, random: Random, kind: Desired['kind']): Promise<Desired> {
  const note = `policy ${random.below(1000)}`;
  const maxFindings = random.pick([1, 2, 3, 20]);
  const version = await world.desire(world.policies.patches[kind](note, maxFindings));
  return { kind, version, note, maxFindings };
}

/** Something other than a fault: a policy, a port, a restart or a method call. */
async function randomEvent(world: World, random: Random): Promise<void> {
  switch (random.below(8)) {
    case 0:
    case 1:
      await setDesired(world, random, 'valid');
      return;
    case 2:
      await setDesired(world, random, random.pick(['invalid', 'removed']));
      return;
    case 3:
    case 4:
      return world.togglePort();
    case 5:
      return world.restartSimulator();
    case 6:
      // The call may go unanswered; it only must not break anything.
      void world.invoke(random.pick(['runChecks', 'getReport', 'nonsense']), {});
  }
}

async function restartAgent(world: World, random: Random): Promise<void> {
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

/** The last log lines of the agent and the simulator. */
const recentLog = (world: World): string =>
  [world.agent().out().split('\n').slice(-60), world.simulatorLines().slice(-40)].flat().join('\n');

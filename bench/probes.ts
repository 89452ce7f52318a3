import { startModule } from './agent.ts';
import { type Found, probe, startBlackbox } from './exporters.ts';
import { nothingYet, type Row, row } from './figures.ts';
import { policyOf } from './policies.ts';
import { processorSeconds } from './proc.ts';
import type { World } from './world.ts';

// As many as the agent has at work at once.
const atOnce = 32;

/** One look at many TLS targets. */
export async function probes(world: World, { blackbox }: Found): Promise<Row[]> {
  const { targets, size } = world;
  const policy = policyOf('outboundReachability', { targets: targets.map((target) => `tls://${target}`) });
  const agent = await startModule(world, policy);
  const exporter = blackbox ? await startBlackbox(world, blackbox) : undefined;
  const byAgent = async () => {
    const { outboundReachability: check } = await agent.runChecks('outboundReachability');
    if (check?.status !== 'pass' || check.findings.length !== targets.length) {
      throw new Error(`The agent did not reach every target: ${JSON.stringify(check)}`);
    }
  };
  const wall = nothingYet();
  const processor = nothingYet();
  // The first is for warming up.
  for (let n = -1; n < size.repetitions; n += 1) {
    const ours = await timed(agent.pid, byAgent);
    const theirs =
      exporter && (await timed(exporter.pid, () => all(targets, (each) => probe(exporter, each))));
    if (n < 0) continue;
    wall.agent.push(ours.seconds);
    processor.agent.push(ours.processor);
    if (!theirs) continue;
    wall.beside.push(theirs.seconds);
    processor.beside.push(theirs.processor);
  }
  await agent.end();
  await exporter?.end();
  return [
    row(`${targets.length} TLS targets, time`, 's', 'blackbox_exporter', wall),
    row(`${targets.length} TLS targets, processor`, 's', 'blackbox_exporter', processor),
  ];
}

async function timed(pid: number, work: () => Promise<void>) {
  const spent = processorSeconds(pid);
  const started = performance.now();
  await work();
  return { seconds: (performance.now() - started) / 1000, processor: processorSeconds(pid) - spent };
}

async function all<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

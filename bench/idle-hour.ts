import { setTimeout } from 'node:timers/promises';
import { startModule } from './agent.ts';
import { type Found, namesOf, probe, startExporters } from './exporters.ts';
import { median, nothingYet, type Row, row } from './figures.ts';
import { get } from './http.ts';
import { everydayPolicy } from './policies.ts';
import { processorSeconds } from './proc.ts';
import type { World } from './world.ts';

// The default schedule: every five minutes.
const looksPerHour = 12;
// For what a look leaves behind at once: a report that is sent, a child process that ends.
const afterwardsMs = 500;
const sides = ['agent', 'beside'] as const;

/**
 * The processor time of an hour in which nothing happens: so many looks and scrapes as the default schedule makes, the
 * same number of scrapes and of probes of the same targets for the exporters, and the time in between.
 */
export async function idleHour(world: World, found: Found): Promise<Row[]> {
  const agent = await startModule(world, await everydayPolicy(world, 'edgehub'));
  const exporters = await startExporters(world, found);
  const blackbox = found.blackbox ? exporters.at(-1) : undefined;
  const theirs = exporters.map(({ pid }) => pid);
  const look = async () => {
    await agent.runChecks();
    await get(`${agent.url}/metrics`);
  };
  const scrape = async () => {
    for (const { url } of exporters) await get(`${url}/metrics`);
    for (const target of blackbox ? world.targets.slice(0, 3) : []) await probe(blackbox ?? agent, target);
  };
  const { idleSeconds, repetitions } = world.size;
  await look();
  await scrape();
  const looks = nothingYet();
  const idle = nothingYet();
  for (let n = 0; n < repetitions; n += 1) {
    const before = { agent: spent([agent.pid]), beside: spent(theirs) };
    await look();
    await scrape();
    await setTimeout(afterwardsMs);
    const quiet = { agent: spent([agent.pid]), beside: spent(theirs) };
    await setTimeout(idleSeconds * 1000);
    const still = { agent: spent([agent.pid]), beside: spent(theirs) };
    // V8 tidies up nine seconds after some looks, which is part of what they take.
    await setTimeout(idleSeconds * 1000);
    const after = { agent: spent([agent.pid]), beside: spent(theirs) };
    for (const side of theirs.length > 0 ? sides : sides.slice(0, 1)) {
      looks[side].push(after[side] - before[side]);
      idle[side].push((still[side] - quiet[side]) / idleSeconds);
    }
  }
  await agent.end();
  for (const exporter of exporters) await exporter.end();
  const idleRest = 3600 - 2 * idleSeconds * looksPerHour;
  // The median, because what is done once in a while is no second out of every five.
  const hourOf = (side: (typeof sides)[number]) =>
    looks[side].map((seconds) => seconds * looksPerHour + median(idle[side]) * idleRest);
  const hour = { agent: hourOf('agent'), beside: hourOf('beside') };
  return [row('processor in an hour, as a module', 's', namesOf(found), hour)];
}

const spent = (pids: readonly number[]): number => pids.reduce((sum, pid) => sum + processorSeconds(pid), 0);

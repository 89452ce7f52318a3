import { setTimeout } from 'node:timers/promises';
import { startModule } from './agent.ts';
import { type Found, namesOf, probe, startExporters } from './exporters.ts';
import { nothingYet, type Row, row } from './figures.ts';
import { get } from './http.ts';
import { everydayPolicy } from './policies.ts';
import { processorSeconds } from './proc.ts';
import type { World } from './world.ts';

// The default schedule: every five minutes.
const looksPerHour = 12;
// For what a look leaves behind at once: a report that is sent, a child process that ends.
const afterwardsMs = 500;

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
  // V8 tidies up nine seconds after a start and after some looks.
  await setTimeout(2 * idleSeconds * 1000);

  const hour = nothingYet();
  for (let n = 0; n < repetitions; n += 1) {
    const before = [spent([agent.pid]), spent(theirs)] as const;
    await look();
    await scrape();
    await setTimeout(afterwardsMs);
    const between = [spent([agent.pid]), spent(theirs)] as const;
    await setTimeout(idleSeconds * 1000);
    const idle = [spent([agent.pid]), spent(theirs)] as const;
    // What V8 does then belongs to the look, not to every five seconds of the hour.
    await setTimeout(idleSeconds * 1000);
    const after = [spent([agent.pid]), spent(theirs)] as const;
    const perHour = (side: 0 | 1) =>
      (after[side] - before[side]) * looksPerHour +
      ((idle[side] - between[side]) / idleSeconds) * (3600 - 2 * idleSeconds * looksPerHour);
    hour.agent.push(perHour(0));
    if (theirs.length > 0) hour.beside.push(perHour(1));
  }
  await agent.end();
  for (const exporter of exporters) await exporter.end();
  return [row('processor in an hour, as a module', 's', namesOf(found), hour)];
}

const spent = (pids: readonly number[]): number => pids.reduce((sum, pid) => sum + processorSeconds(pid), 0);

import { startAlone, startModule } from './agent.ts';
import { type Found, namesOf, probe, startBlackbox, startNodeExporter } from './exporters.ts';
import { nothingYet, type Row, row } from './figures.ts';
import { timeGets } from './http.ts';
import { everydayPolicy } from './policies.ts';
import { residentBytes } from './proc.ts';
import type { Program } from './program.ts';
import type { World } from './world.ts';

const mib = 1_048_576;
const warmRuns = 3;

/** Starts every program anew in each repetition: how long it takes to answer, and what it holds once warm. */
export async function memoryAndStart(world: World, found: Found): Promise<Row[]> {
  const memory = { alone: nothingYet(), module: nothingYet() };
  const starts = { alone: nothingYet(), module: nothingYet() };
  const policies = {
    alone: await everydayPolicy(world, 'tls'),
    module: await everydayPolicy(world, 'edgehub'),
  };
  for (let n = 0; n < world.size.repetitions; n += 1) {
    const alone = await startAlone(world, policies.alone);
    starts.alone.agent.push(alone.startSeconds);
    memory.alone.agent.push((await warmAgent(world, alone)) / mib);
    await alone.end();

    const module = await startModule(world, policies.module);
    starts.module.agent.push(module.startSeconds);
    for (let run = 0; run < warmRuns; run += 1) await module.runChecks();
    memory.module.agent.push((await warmAgent(world, module)) / mib);
    await module.end();

    const exporters = await warmExporters(world, found);
    if (exporters.length === 0) continue;
    const bytes = exporters.reduce((sum, { pid }) => sum + residentBytes(pid), 0);
    // On a device they start at the same time.
    const seconds = Math.max(...exporters.map(({ startSeconds }) => startSeconds));
    for (const { beside } of [memory.alone, memory.module]) beside.push(bytes / mib);
    for (const { beside } of [starts.alone, starts.module]) beside.push(seconds);
    for (const exporter of exporters) await exporter.end();
  }
  const names = namesOf(found);
  return [
    row('memory, on its own', 'MiB', names, memory.alone),
    row('memory, as a module', 'MiB', names, memory.module),
    row('start to ready, on its own', 's', names, starts.alone),
    row('start to ready, as a module', 's', names, starts.module),
  ];
}

async function warmAgent({ size }: World, { url, pid }: Program): Promise<number> {
  await timeGets(`${url}/metrics`, size.gets, 'kept');
  return residentBytes(pid);
}

async function warmExporters(world: World, { node, blackbox }: Found): Promise<Program[]> {
  const exporters: Program[] = [];
  if (node) {
    const exporter = await startNodeExporter(world, node);
    await timeGets(`${exporter.url}/metrics`, Math.min(20, world.size.gets), 'kept');
    exporters.push(exporter);
  }
  if (blackbox) {
    const exporter = await startBlackbox(world, blackbox);
    for (const target of world.targets.slice(0, 20)) await probe(exporter, target);
    exporters.push(exporter);
  }
  return exporters;
}

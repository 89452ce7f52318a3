import { budgets } from '../budgets.ts';
import { startModule } from '../programs/agent.ts';
import { exporterNames, type Installed, probe, startExporters } from '../programs/exporters.ts';
import { scrape } from '../programs/http.ts';
import { typicalPolicy } from '../programs/policies.ts';
import { treeBytes } from '../programs/proc.ts';
import { createRow, type Row } from '../results/rows.ts';
import type { Testbed } from '../testbed.ts';

const mib = 1_048_576;
// Before that V8 and malloc still settle.
const settledPart = 0.2;
const { memoryMib, slopeKibPerRun } = budgets.bench;

/**
 * The memory of the module with all of its processes after many runs and as many scrapes, and its growth. The exporters get
 * the same scrapes, and probes of the same targets.
 */
export async function measureMemory(testbed: Testbed, installed: Installed): Promise<Row[]> {
  const { runs } = testbed.size;
  const agent = await startModule(testbed, await typicalPolicy(testbed, 'edgehub'));
  const samples: { readonly run: number; readonly bytes: number }[] = [];
  for (let run = 1; run <= runs; run += 1) {
    if (run % 100 === 0) testbed.progress('memory', run);
    await agent.runChecks();
    await scrape(`${agent.url}/metrics`);
    samples.push({ run, bytes: treeBytes(agent.pid) });
  }
  await agent.stop();

  const exporters = await startExporters(testbed, installed);
  const blackbox = installed.blackbox ? exporters.at(-1) : undefined;
  for (let run = 1; run <= runs; run += 1) {
    if (run % 100 === 0) testbed.progress('memory of the exporters', run);
    for (const { url } of exporters) await scrape(`${url}/metrics`);
    for (const target of blackbox ? testbed.targets.slice(0, 3) : []) await probe(blackbox ?? agent, target);
  }
  const baseline = exporters.reduce((sum, { pid }) => sum + treeBytes(pid), 0);
  for (const exporter of exporters) await exporter.stop();

  const last = samples.at(-1)?.bytes ?? 0;
  const peak = Math.max(...samples.map(({ bytes }) => bytes));
  const slope = slopeOf(samples.filter(({ run }) => run >= runs * settledPart));
  const names = exporterNames(installed);
  const beside = exporters.length > 0 ? [baseline / mib] : [];
  return [
    createRow(
      `memory as a module, after ${runs} runs and scrapes`,
      'MiB',
      names,
      { agent: [last / mib], baseline: beside },
      { agent: memoryMib },
    ),
    createRow('the most of it', 'MiB', names, { agent: [peak / mib], baseline: beside }),
    createRow(
      'its growth in a run',
      'KiB',
      '',
      { agent: [slope / 1024], baseline: [] },
      { agent: slopeKibPerRun },
    ),
  ];
}

/** Bytes per run: the slope of the line with the least squares. */
function slopeOf(samples: readonly { readonly run: number; readonly bytes: number }[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;
  const meanRun = mean(samples.map(({ run }) => run));
  const meanBytes = mean(samples.map(({ bytes }) => bytes));
  const sum = (of: (sample: (typeof samples)[number]) => number) =>
    samples.reduce((total, each) => total + of(each), 0);
  const spread = sum(({ run }) => (run - meanRun) ** 2);
  return spread === 0 ? 0 : sum(({ run, bytes }) => (run - meanRun) * (bytes - meanBytes)) / spread;
}

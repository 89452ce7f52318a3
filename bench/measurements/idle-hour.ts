import { setTimeout } from 'node:timers/promises';
import { startModule } from '../programs/agent.ts';
import { exporterNames, type Installed, probe, startExporters } from '../programs/exporters.ts';
import { send } from '../programs/http.ts';
import { typicalPolicy } from '../programs/policies.ts';
import { cpuSeconds } from '../programs/proc.ts';
import { createRow, median, noSamples, type Row } from '../results/rows.ts';
import type { Testbed } from '../testbed.ts';

// The default schedule: every five minutes.
const runsPerHour = 12;
// Covers work right after a run: sending the report, exiting child processes.
const settleMs = 500;
const sides = ['agent', 'baseline'] as const;

/**
 * The CPU time of an hour without events, extrapolated from a few runs and the idle time after each. The agent runs all
 * checks and is scraped as often as by the default schedule; the exporters get the same number of scrapes, and of
 * probes of the same targets.
 */
export async function measureIdleHour(testbed: Testbed, installed: Installed): Promise<Row[]> {
  const agent = await startModule(testbed, await typicalPolicy(testbed, 'edgehub'));
  const exporters = await startExporters(testbed, installed);
  const blackbox = installed.blackbox ? exporters.at(-1) : undefined;
  const exporterPids = exporters.map(({ pid }) => pid);
  const exerciseAgent = async () => {
    await agent.runChecks();
    await send(`${agent.url}/metrics`);
  };
  const exerciseExporters = async () => {
    for (const { url } of exporters) await send(`${url}/metrics`);
    for (const target of blackbox ? testbed.targets.slice(0, 3) : []) {
      await probe(blackbox ?? agent, target);
    }
  };
  const readCpu = () => ({ agent: totalCpuSeconds([agent.pid]), baseline: totalCpuSeconds(exporterPids) });
  const { idleSeconds, repetitions } = testbed.size;
  await exerciseAgent();
  await exerciseExporters();
  const runs = noSamples();
  const idle = noSamples();
  for (let n = 0; n < repetitions; n += 1) {
    const before = readCpu();
    await exerciseAgent();
    await exerciseExporters();
    await setTimeout(settleMs);
    const settled = readCpu();
    await setTimeout(idleSeconds * 1000);
    const idled = readCpu();
    // V8 collects garbage up to nine seconds after a run, which counts as part of the run.
    await setTimeout(idleSeconds * 1000);
    const after = readCpu();
    for (const side of exporters.length > 0 ? sides : sides.slice(0, 1)) {
      runs[side].push(after[side] - before[side]);
      idle[side].push((idled[side] - settled[side]) / idleSeconds);
    }
  }
  await agent.stop();
  for (const exporter of exporters) await exporter.stop();
  const remainingSeconds = 3600 - 2 * idleSeconds * runsPerHour;
  // The median ignores rare work, which would otherwise be multiplied as if it happened every few seconds.
  const hourOf = (side: (typeof sides)[number]) =>
    runs[side].map((seconds) => seconds * runsPerHour + median(idle[side]) * remainingSeconds);
  const hour = { agent: hourOf('agent'), baseline: hourOf('baseline') };
  return [createRow('CPU time in an hour, as a module', 's', exporterNames(installed), hour)];
}

const totalCpuSeconds = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);

import { setTimeout } from 'node:timers/promises';
import { budgets } from '../budgets.ts';
import { startModule } from '../programs/agent.ts';
import { exporterNames, type Installed, probe, startExporters } from '../programs/exporters.ts';
import { scrape } from '../programs/http.ts';
import { typicalPolicy } from '../programs/policies.ts';
import { cpuSeconds, sleeps } from '../programs/proc.ts';
import type { Program } from '../programs/program.ts';
import { createRow, median, noSamples, type Row } from '../results/rows.ts';
import type { Testbed } from '../testbed.ts';

// The default schedule: every five minutes.
const runsPerHour = 12;
// Covers work right after a run: sending the report, exiting child processes.
const settleMs = 500;
const sides = ['agent', 'baseline'] as const;
const { runCpuMs, hourCpuSeconds, wakeUpsPerMinute } = budgets.bench;

/**
 * The CPU time of a run, and of an hour without events, extrapolated from a few runs and the idle time after each; and how
 * often the idle programs are woken. The agent runs all checks and is scraped as often as by the default schedule; the
 * exporters get the same number of scrapes, and of probes of the same targets.
 */
export async function measureIdleHour(testbed: Testbed, installed: Installed): Promise<Row[]> {
  const agent = await startModule(testbed, await typicalPolicy(testbed, 'edgehub'));
  const exporters = await startExporters(testbed, installed);
  const blackbox = installed.blackbox ? exporters.at(-1) : undefined;
  const pids = { agent: [agent.pid], baseline: exporters.map(({ pid }) => pid) };
  const measured = exporters.length > 0 ? sides : sides.slice(0, 1);
  const scrapeMetrics = ({ url }: Program) => scrape(`${url}/metrics`);
  const exercise = {
    agent: async () => {
      await agent.runChecks();
      await scrapeMetrics(agent);
    },
    baseline: async () => {
      for (const exporter of exporters) await scrapeMetrics(exporter);
      for (const target of blackbox ? testbed.targets.slice(0, 3) : [])
        await probe(blackbox ?? agent, target);
    },
  };
  const { idleSeconds, repetitions } = testbed.size;
  for (const side of measured) for (let n = 0; n < warmUpRuns; n += 1) await exercise[side]();
  const run = noSamples();
  const withRun = noSamples();
  const idle = noSamples();
  const woken = noSamples();
  for (let n = 0; n < repetitions; n += 1) {
    testbed.progress('idle hour', n);
    for (const side of measured) {
      const before = sumOf(pids[side], cpuSeconds);
      await exercise[side]();
      await setTimeout(settleMs);
      run[side].push(1000 * (sumOf(pids[side], cpuSeconds) - before));
      // V8 collects garbage up to nine seconds after a run, which counts as part of the run.
      await setTimeout(idleSeconds * 1000);
      withRun[side].push(sumOf(pids[side], cpuSeconds) - before);
    }
    const before = { agent: figuresOf(pids.agent), baseline: figuresOf(pids.baseline) };
    await setTimeout(idleSeconds * 1000);
    for (const side of measured) {
      const after = figuresOf(pids[side]);
      idle[side].push((after.cpu - before[side].cpu) / idleSeconds);
      woken[side].push(((after.sleeps - before[side].sleeps) * 60) / idleSeconds);
    }
  }
  await agent.stop();
  for (const exporter of exporters) await exporter.stop();
  const remainingSeconds = 3600 - idleSeconds * runsPerHour;
  // The median ignores rare work, which would otherwise be multiplied as if it happened every few seconds.
  const hourOf = (side: (typeof sides)[number]) =>
    withRun[side].map((seconds) => seconds * runsPerHour + median(idle[side]) * remainingSeconds);
  const hour = { agent: hourOf('agent'), baseline: exporters.length > 0 ? hourOf('baseline') : [] };
  const names = exporterNames(installed);
  return [
    createRow('one run of all checks, CPU time', 'ms', names, run, { agent: runCpuMs }),
    createRow('an hour, CPU time', 's', names, hour, { agent: hourCpuSeconds }),
    createRow('wake-ups in an idle minute', '', names, woken, { agent: wakeUpsPerMinute }),
  ];
}

// The first runs compile.
const warmUpRuns = 3;

const figuresOf = (pids: readonly number[]) => ({
  cpu: sumOf(pids, cpuSeconds),
  sleeps: sumOf(pids, sleeps),
});

const sumOf = (pids: readonly number[], figure: (pid: number) => number): number =>
  pids.reduce((sum, pid) => sum + figure(pid), 0);

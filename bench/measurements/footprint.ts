import { statSync } from 'node:fs';
import { agentFiles, startModule, startStandalone } from '../programs/agent.ts';
import {
  exporterNames,
  type Installed,
  probe,
  startBlackbox,
  startNodeExporter,
} from '../programs/exporters.ts';
import { timeGets } from '../programs/http.ts';
import { typicalPolicy } from '../programs/policies.ts';
import { residentBytes } from '../programs/proc.ts';
import type { Program } from '../programs/program.ts';
import { createRow, noSamples, type Row } from '../results/rows.ts';
import type { Testbed } from '../testbed.ts';

const mib = 1_048_576;
const warmUpRuns = 3;

/** The time to start and the memory after warming up. Restarts every program in each repetition. */
export async function measureMemoryAndStart(testbed: Testbed, installed: Installed): Promise<Row[]> {
  const memory = { standalone: noSamples(), module: noSamples() };
  const starts = { standalone: noSamples(), module: noSamples() };
  const policies = {
    standalone: await typicalPolicy(testbed, 'tls'),
    module: await typicalPolicy(testbed, 'edgehub'),
  };
  for (let n = 0; n < testbed.size.repetitions; n += 1) {
    const standalone = await startStandalone(testbed, policies.standalone);
    starts.standalone.agent.push(standalone.startSeconds);
    memory.standalone.agent.push((await warmAgentBytes(testbed, standalone)) / mib);
    await standalone.stop();

    const module = await startModule(testbed, policies.module);
    starts.module.agent.push(module.startSeconds);
    for (let run = 0; run < warmUpRuns; run += 1) await module.runChecks();
    memory.module.agent.push((await warmAgentBytes(testbed, module)) / mib);
    await module.stop();

    const exporters = await startWarmExporters(testbed, installed);
    if (exporters.length === 0) continue;
    const bytes = exporters.reduce((sum, { pid }) => sum + residentBytes(pid), 0);
    // On a device the exporters start in parallel.
    const seconds = Math.max(...exporters.map(({ startSeconds }) => startSeconds));
    for (const { baseline } of [memory.standalone, memory.module]) baseline.push(bytes / mib);
    for (const { baseline } of [starts.standalone, starts.module]) baseline.push(seconds);
    for (const exporter of exporters) await exporter.stop();
  }
  const names = exporterNames(installed);
  return [
    createRow('memory, standalone', 'MiB', names, memory.standalone),
    createRow('memory, as a module', 'MiB', names, memory.module),
    createRow('start to ready, standalone', 's', names, starts.standalone),
    createRow('start to ready, as a module', 's', names, starts.module),
  ];
}

/** The size of the programs on the device's disk. */
export function measureDiskSize(installed: Installed): Row[] {
  const exporters = [installed.node, installed.blackbox].filter((file) => file !== undefined);
  const baseline = exporters.length > 0 ? [sizeMib(...exporters)] : [];
  const names = exporterNames(installed);
  return [
    createRow('size on disk', 'MiB', names, { agent: [sizeMib(...agentFiles)], baseline }),
    createRow('size on disk with Node.js', 'MiB', names, {
      agent: [sizeMib(...agentFiles, process.execPath)],
      baseline,
    }),
  ];
}

async function warmAgentBytes({ size }: Testbed, { url, pid }: Program): Promise<number> {
  await timeGets(`${url}/metrics`, size.gets, 'reused');
  return residentBytes(pid);
}

async function startWarmExporters(testbed: Testbed, { node, blackbox }: Installed): Promise<Program[]> {
  const exporters: Program[] = [];
  if (node) {
    const exporter = await startNodeExporter(testbed, node);
    await timeGets(`${exporter.url}/metrics`, Math.min(20, testbed.size.gets), 'reused');
    exporters.push(exporter);
  }
  if (blackbox) {
    const exporter = await startBlackbox(testbed, blackbox);
    for (const target of testbed.targets.slice(0, 20)) await probe(exporter, target);
    exporters.push(exporter);
  }
  return exporters;
}

const sizeMib = (...files: readonly string[]): number =>
  files.reduce((sum, file) => sum + statSync(file).size, 0) / mib;

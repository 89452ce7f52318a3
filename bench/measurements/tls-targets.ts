import { budgets } from '../budgets.ts';
import { startModule } from '../programs/agent.ts';
import { type Installed, probe, startBlackbox } from '../programs/exporters.ts';
import { policyWithOnly } from '../programs/policies.ts';
import { cpuSeconds } from '../programs/proc.ts';
import { createRow, noSamples, type Row } from '../results/rows.ts';
import type { Testbed } from '../testbed.ts';

// The agent's own concurrency limit.
const concurrency = 32;

/** The cost of probing many TLS targets once. */
export async function measureTlsTargets(testbed: Testbed, { blackbox }: Installed): Promise<Row[]> {
  const { size } = testbed;
  const targets = testbed.targets.slice(0, size.targets);
  const policy = policyWithOnly('outboundReachability', {
    targets: targets.map((target) => `tls://${target}`),
  });
  const agent = await startModule(testbed, policy);
  const exporter = blackbox ? await startBlackbox(testbed, blackbox) : undefined;
  const probeWithAgent = async () => {
    const { outboundReachability: check } = await agent.runChecks('outboundReachability');
    if (check?.status !== 'pass' || check.findings.length !== targets.length) {
      throw new Error(`The agent did not reach every target: ${JSON.stringify(check)}`);
    }
  };
  const duration = noSamples();
  const cpu = noSamples();
  // Repetition -1 warms up.
  for (let n = -1; n < size.repetitions; n += 1) {
    testbed.progress('TLS targets', n);
    const ofAgent = await measure(agent.pid, probeWithAgent);
    const ofExporter =
      exporter && (await measure(exporter.pid, () => forEach(targets, (each) => probe(exporter, each))));
    if (n < 0) continue;
    duration.agent.push(ofAgent.seconds);
    cpu.agent.push(ofAgent.cpuSeconds);
    if (!ofExporter) continue;
    duration.baseline.push(ofExporter.seconds);
    cpu.baseline.push(ofExporter.cpuSeconds);
  }
  await agent.stop();
  await exporter?.stop();
  return [
    createRow(`${targets.length} TLS targets, duration`, 's', 'blackbox_exporter', duration),
    createRow(`${targets.length} TLS targets, CPU time`, 's', 'blackbox_exporter', cpu, {
      ratio: budgets.bench.tlsTargetsCpuRatio,
    }),
  ];
}

async function measure(pid: number, work: () => Promise<void>) {
  const before = cpuSeconds(pid);
  const started = performance.now();
  await work();
  return { seconds: (performance.now() - started) / 1000, cpuSeconds: cpuSeconds(pid) - before };
}

async function forEach<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

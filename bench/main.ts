import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { measureCertificates } from './measurements/certificates.ts';
import { measureDiskSize, measureStart } from './measurements/footprint.ts';
import { measureGrowth } from './measurements/growth.ts';
import { measureIdleHour } from './measurements/idle-hour.ts';
import { measureMemory } from './measurements/memory.ts';
import { measureMetricsPage } from './measurements/metrics-page.ts';
import { measureTlsTargets } from './measurements/tls-targets.ts';
import { findInstalled } from './programs/exporters.ts';
import type { Defer } from './programs/program.ts';
import type { Row } from './results/rows.ts';
import { renderTable } from './results/table.ts';
import { createTestbed, fullSize, quickSize } from './testbed.ts';

// `npm run bench`: measures the bundled agent and the programs it replaces by turns, on loopback. `--json` prints one
// line of JSON; `--quick` does one small repetition to show that everything works.
const { values: options } = parseArgs({ options: { json: { type: 'boolean' }, quick: { type: 'boolean' } } });

const abort = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => abort.abort(new Error(`Terminated by ${signal}`)));
}
const cleanups: (() => unknown)[] = [];
const defer: Defer = (cleanup) => {
  cleanups.push(cleanup);
  // Measurements continue in the background after an abort; this keeps them from starting more.
  abort.signal.throwIfAborted();
};

const started = performance.now();
const size = options.quick ? quickSize : fullSize;
const installed = findInstalled();

const progress = (what: string, step: number): void => {
  const seconds = Math.round((performance.now() - started) / 1000);
  process.stderr.write(`${String(seconds).padStart(4)} s  ${what}${step > 0 ? ` ${step}` : ''}\n`);
};

async function measure(): Promise<Row[]> {
  const testbed = await createTestbed(size, defer, progress);
  return [
    ...(await measureStart(testbed, installed)),
    ...(await measureMemory(testbed, installed)),
    ...(await measureMetricsPage(testbed, installed)),
    ...(await measureTlsTargets(testbed, installed)),
    ...(await measureCertificates(testbed, installed)),
    ...(await measureIdleHour(testbed, installed)),
    ...(await measureGrowth(testbed)),
    ...measureDiskSize(installed),
  ];
}

function print(rows: readonly Row[]): void {
  const machine = { cores: availableParallelism(), node: process.version, repetitions: size.repetitions };
  const { missing } = installed;
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ ...machine, missing, rows })}\n`);
    return;
  }
  const seconds = Math.round((performance.now() - started) / 1000);
  const summary = `${machine.cores} cores, Node.js ${machine.node}, ${size.repetitions} repetitions, ${seconds} s`;
  process.stdout.write(`${summary}. Each cell: min, median, max; less is better.\n\n${renderTable(rows)}`);
  if (missing.length > 0) {
    process.stdout.write(`\nNot installed, so not measured: apt-get install ${missing.join(' ')}\n`);
  }
}

try {
  const aborted = once(abort.signal, 'abort').then(() => Promise.reject(abort.signal.reason));
  print(await Promise.race([measure(), aborted]));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  while (cleanups.length > 0) await cleanups.pop()?.();
}
// Aborted measurements may still be waiting.
process.exit();

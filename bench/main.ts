import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { certificates } from './certificates.ts';
import { findPrograms } from './exporters.ts';
import type { Row } from './figures.ts';
import { idleHour } from './idle-hour.ts';
import { memoryAndStart } from './memory-and-start.ts';
import { metricsPage } from './metrics-page.ts';
import { probes } from './probes.ts';
import type { Defer } from './program.ts';
import { sizes } from './sizes.ts';
import { renderTable } from './table.ts';
import { createWorld, quick, usual } from './world.ts';

// `npm run bench`: the bundled agent beside what it replaces, on loopback, in turns. `--json` prints one line for
// machines; `--quick` does little and once, to see that it works.
const { values: options } = parseArgs({ options: { json: { type: 'boolean' }, quick: { type: 'boolean' } } });

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => stop.abort(new Error(`Ended by ${signal}`)));
}
const ends: (() => unknown)[] = [];
const defer: Defer = (end) => {
  ends.push(end);
  // Work that was broken off starts nothing further.
  stop.signal.throwIfAborted();
};

const started = performance.now();
const size = options.quick ? quick : usual;
const found = findPrograms();

async function measure(): Promise<Row[]> {
  const world = await createWorld(size, defer);
  return [
    ...(await memoryAndStart(world, found)),
    ...(await metricsPage(world, found)),
    ...(await probes(world, found)),
    ...(await certificates(world, found)),
    ...(await idleHour(world, found)),
    ...sizes(found),
  ];
}

function print(rows: readonly Row[]): void {
  const machine = { cores: availableParallelism(), node: process.version, repetitions: size.repetitions };
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ ...machine, missing: found.missing, rows })}\n`);
  } else {
    const seconds = Math.round((performance.now() - started) / 1000);
    const about = `${machine.cores} cores, Node.js ${machine.node}, ${size.repetitions} repetitions, ${seconds} s`;
    process.stdout.write(`${about}. Each cell: min, median, max; less is better.\n\n${renderTable(rows)}`);
    if (found.missing.length > 0)
      process.stdout.write(`\nLeft out, not on this machine: apt-get install ${found.missing.join(' ')}\n`);
  }
}

try {
  const stopped = once(stop.signal, 'abort').then(() => Promise.reject(stop.signal.reason));
  print(await Promise.race([measure(), stopped]));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  while (ends.length > 0) await ends.pop()?.();
}
// Work that was broken off may still wait for something.
process.exit();

import { statSync } from 'node:fs';
import { agentFiles } from './agent.ts';
import { type Found, namesOf } from './exporters.ts';
import { type Row, row } from './figures.ts';

/** What is put on the device's disk. */
export function sizes(found: Found): Row[] {
  const beside = [found.node, found.blackbox].filter((file) => file !== undefined);
  const theirs = beside.length > 0 ? [mib(...beside)] : [];
  return [
    row('size on disk', 'MiB', namesOf(found), { agent: [mib(...agentFiles)], beside: theirs }),
    row('size with Node.js', 'MiB', namesOf(found), {
      agent: [mib(...agentFiles, process.execPath)],
      beside: theirs,
    }),
  ];
}

const mib = (...files: readonly string[]): number =>
  files.reduce((sum, file) => sum + statSync(file).size, 0) / 1_048_576;

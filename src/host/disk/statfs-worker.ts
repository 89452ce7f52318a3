import { createInterface } from 'node:readline';
import { measureFilesystem } from './measure.ts';
import type { Measured, Request } from './statfs-child.ts';

// The process behind statfs-child.ts, a program of its own in the bundle: JSON lines in, JSON lines out. Every request
// occupies a thread until its filesystem answers.

async function answer(line: string): Promise<void> {
  const request: Request = JSON.parse(line);
  const { id, hostRoot, path } = request;
  const measured = await measureFilesystem(hostRoot, path).then(
    (measurement): Measured => ({ id, measurement }),
    ({ code, message }): Measured => ({ id, error: { code, message } }),
  );
  process.stdout.write(`${JSON.stringify(measured)}\n`);
}

createInterface({ input: process.stdin })
  .on('line', (line) => void answer(line))
  // Node would wait for the thread of a request that hangs, so the end of the input ends the process.
  .on('close', () => process.kill(process.pid, 'SIGKILL'));

import type { BigIntStatsFs } from 'node:fs';
import { opendir, stat, statfs } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { codeOf } from '../../errors.ts';
import { resolveInRoot } from '../files/root.ts';
import type { Measured, Measurement, Request } from './statfs-child.ts';

// The process behind statfs-child.ts, a program of its own in the bundle: JSON lines in, JSON lines out. Every request
// occupies a thread until its filesystem answers.

async function measure({ hostRoot, path }: Request): Promise<Measurement> {
  const resolved = await resolveInRoot(hostRoot, path);
  if (resolved.existing !== resolved.path) return { resolved };
  const stats: BigIntStatsFs & { readonly frsize?: bigint } = await statfs(resolved.path, { bigint: true });
  const { frsize, bsize, blocks, bfree, bavail, files, ffree } = stats;
  // Sizes are counted in fragments (statvfs(3)). Older versions of Node report the block size alone, mostly the same.
  const bytes = (count: bigint) => Number(count * (frsize || bsize));
  const failure = await readFailure(resolved.path);
  return {
    resolved,
    numbers: {
      sizeBytes: bytes(blocks),
      freeBytes: bytes(bfree),
      availableBytes: bytes(bavail),
      files: Number(files),
      filesFree: Number(ffree),
    },
    ...(failure === undefined ? {} : { failure }),
  };
}

/** XFS, for one, answers statfs after it has shut down, but fails everything else with EIO. */
async function readFailure(path: string): Promise<string | undefined> {
  try {
    if (!(await stat(path)).isDirectory()) return undefined;
    const folder = await opendir(path);
    try {
      await folder.read();
    } finally {
      await folder.close();
    }
    return undefined;
  } catch (error) {
    const code = codeOf(error) ?? String(error);
    // Missing permission, or a path removed meanwhile, is no failure of the filesystem.
    return ['EACCES', 'EPERM', 'ENOENT', 'ENOTDIR'].includes(code) ? undefined : code;
  }
}

async function answer(line: string): Promise<void> {
  const request: Request = JSON.parse(line);
  const { id } = request;
  const measured = await measure(request).then(
    (measurement): Measured => ({ id, measurement }),
    ({ code, message }): Measured => ({ id, error: { code, message } }),
  );
  process.stdout.write(`${JSON.stringify(measured)}\n`);
}

createInterface({ input: process.stdin })
  .on('line', (line) => void answer(line))
  // Node would wait for the thread of a request that hangs, so the end of the input ends the process.
  .on('close', () => process.kill(process.pid, 'SIGKILL'));

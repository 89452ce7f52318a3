import type { BigIntStatsFs } from 'node:fs';
import { opendir, stat, statfs } from 'node:fs/promises';
import { codeOf } from '../../errors.ts';
import { type Enter, type Resolved, resolveInRoot } from '../files/root.ts';

/** The result of statfs(2), in bytes and inodes, and the path it is for. */
export interface Measurement {
  readonly resolved: Resolved;
  /** Absent when nothing exists there. */
  readonly numbers?: {
    readonly sizeBytes: number;
    readonly freeBytes: number;
    readonly availableBytes: number;
    readonly files: number;
    readonly filesFree: number;
  };
  /** The code of the error that reading the path gives although statfs(2) succeeds. */
  readonly failure?: string;
}

/**
 * Measures the filesystem at a path of the VM, resolved below `hostRoot`. Occupies a thread until the filesystem answers,
 * and rejects with its system error.
 */
export async function measureFilesystem(hostRoot: string, path: string, enter?: Enter): Promise<Measurement> {
  const resolved = await resolveInRoot(hostRoot, path, enter);
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

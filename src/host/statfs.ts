import { type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { CannotTell } from '../check.ts';
import { cannotRead } from './access.ts';
import { type Resolved, resolveInRoot } from './root.ts';

/** What statfs(2) says, in bytes and inodes, and of what. */
export interface Statfs {
  readonly resolved: Resolved;
  /** Absent when nothing is there. */
  readonly numbers?: {
    readonly sizeBytes: number;
    readonly freeBytes: number;
    readonly availableBytes: number;
    readonly files: number;
    readonly filesFree: number;
  };
}

/** @param path the VM's, looked up below `hostRoot` */
export type MeasureFilesystem = (hostRoot: string, path: string, signal: AbortSignal) => Promise<Statfs>;

// Sizes are counted in fragments (statvfs(3)); older versions of Node give the block size alone, mostly the same.
const script = `
const fs = require('node:fs');
const resolveInRoot = ${resolveInRoot};
const [hostRoot, path] = process.argv.slice(1);
async function look() {
  const resolved = await resolveInRoot(hostRoot, path, fs.promises);
  if (resolved.existing !== resolved.path) return { resolved };
  const { frsize, bsize, blocks, bfree, bavail, files, ffree } = fs.statfsSync(resolved.path, { bigint: true });
  const bytes = (count) => Number(count * (frsize || bsize));
  return { resolved, numbers: {
    sizeBytes: bytes(blocks), freeBytes: bytes(bfree), availableBytes: bytes(bavail),
    files: Number(files), filesFree: Number(ffree),
  } };
}
look()
  .catch(({ code, message }) => ({ error: { code, message } }))
  .then((answer) => process.stdout.write(JSON.stringify(answer)));
`;

/**
 * Measures filesystems in child processes. A filesystem that has stopped answering holds whoever asks it, uncancellable:
 * within this process that would be one of libuv's four threads, for good, and the process could not even exit. A
 * child is killed when the signal fires, and where even that takes no effect, nobody waits for it.
 *
 * There is one child for a path at a time. While a killed one still hangs, the next look-up says so at once.
 */
export function createStatfs(): MeasureFilesystem {
  const running = new Map<string, ChildProcess>();

  return async (hostRoot, path, signal) => {
    signal.throwIfAborted();
    const key = JSON.stringify([hostRoot, path]);
    for (let earlier = running.get(key); earlier; earlier = running.get(key)) {
      if (earlier.killed) throw stillHanging(path);
      await once(earlier, 'exit', { signal }).catch(() => signal.throwIfAborted());
    }
    const stdout = await new Promise<string>((resolve, reject) => {
      const child = execFile(
        process.execPath,
        ['--eval', script, '--', hostRoot, path],
        { signal, killSignal: 'SIGKILL', env: {}, cwd: '/' },
        (error, stdout, stderr) => {
          if (!error) return resolve(stdout);
          child.unref();
          const cause = new Error(stderr.trim().slice(0, 500) || error.message);
          reject(signal.aborted ? signal.reason : new Error(`Could not measure ${path}`, { cause }));
        },
      );
      if (child.pid === undefined) return;
      running.set(key, child);
      child.once('exit', () => running.delete(key));
    });
    const answer: Statfs | { readonly error: NodeJS.ErrnoException } = JSON.parse(stdout);
    if ('error' in answer) throw cannotRead(path, answer.error);
    return answer;
  };
}

const stillHanging = (path: string): CannotTell =>
  new CannotTell('timed_out', `The filesystem at ${path} has not answered since an earlier look at it`, {
    remedy: `See what is mounted there, and whether its server is up: findmnt --target '${path}'`,
  });

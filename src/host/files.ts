import { constants } from 'node:fs';
import { access, open, readFile, readlink, realpath, stat } from 'node:fs/promises';
import { CannotTell } from '../check.ts';
import { cannotRead, notGiven } from './access.ts';
import { findMatches } from './glob.ts';
import { isGiven, type Mount, parseMountinfo } from './mounts.ts';
import { orAbort } from './or-abort.ts';
import { resolveInRoot } from './root.ts';

/** The VM's files, by the VM's paths. Each rejects with the signal's reason, or with a {@link CannotTell}. */
export interface Files {
  /**
   * Regular files that match a glob, sorted. `*`, `?`, `[…]` and `{a,b}` match within one segment of the path; `**`
   * is refused. Names that start with a dot match only a pattern that names the dot.
   */
  find(pattern: string, signal: AbortSignal): Promise<readonly string[]>;
  /** The bytes of a regular file of at most 1 MiB. */
  read(path: string, signal: AbortSignal): Promise<Buffer>;
  /** Whether something is there that belongs to the VM and may be read. */
  gives(path: string, signal: AbortSignal): Promise<boolean>;
}

const mostBytes = 1_048_576;
/** Mounts change when somebody changes them by hand; a look at thousands of files reads their list once a second. */
const keepMountsMs = 1000;

/** @param mountinfo reads the text of /proc/self/mountinfo; a look never touches the mounts themselves. */
export function createFiles({
  hostRoot,
  mountinfo = readMountinfo,
}: {
  hostRoot: string;
  mountinfo?: () => Promise<string>;
}): Files {
  let mounts: Promise<readonly Mount[]> | undefined;
  let mountsReadAt = 0;
  function currentMounts(): Promise<readonly Mount[]> {
    if (mounts && performance.now() - mountsReadAt < keepMountsMs) return mounts;
    mountsReadAt = performance.now();
    const reading = mountinfo().then(parseMountinfo);
    reading.catch(() => {
      if (mounts === reading) mounts = undefined;
    });
    mounts = reading;
    return reading;
  }

  /** The real path on our side of something the VM has; it need not exist. */
  async function locate(path: string): Promise<string> {
    const resolved = await resolveInRoot(hostRoot, path, { readlink, realpath });
    if (!isGiven(await currentMounts(), resolved)) throw notGiven(path, resolved, hostRoot);
    return resolved.path;
  }

  async function read(path: string, signal: AbortSignal): Promise<Buffer> {
    try {
      const real = await locate(path);
      // Opening is not harmless: a watchdog device, once opened and closed, resets the machine.
      if (!(await stat(real)).isFile()) throw notRegular(path);
      return await readRegular(path, real, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw cannotRead(path, error);
    }
  }

  async function gives(path: string): Promise<boolean> {
    try {
      const real = await locate(path);
      const folder = (await stat(real)).isDirectory();
      await access(real, folder ? constants.R_OK | constants.X_OK : constants.R_OK);
      return true;
    } catch {
      // Every way of not getting at it is the same answer here.
      return false;
    }
  }

  return {
    find: (pattern, signal) => orAbort(findMatches(pattern, locate, signal), signal),
    read: (path, signal) => orAbort(read(path, signal), signal),
    gives: (path, signal) => orAbort(gives(path), signal),
  };
}

/** The mounts of this process as the kernel lists them; no mount is touched. */
export const readMountinfo = (): Promise<string> => readFile('/proc/self/mountinfo', 'utf8');

async function readRegular(path: string, real: string, signal: AbortSignal): Promise<Buffer> {
  // Whatever has come in its place since, a FIFO for instance, must not hold the opening up.
  const handle = await open(real, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw notRegular(path);
    if (stats.size > mostBytes) throw tooLarge(path, stats.size);
    const chunks: Buffer[] = [];
    let length = 0;
    // A file may grow meanwhile, and those of /proc say that they are empty: the end is where nothing more comes.
    while (length <= mostBytes) {
      signal.throwIfAborted();
      const buffer = Buffer.alloc(Math.max(4096, Math.min(stats.size, mostBytes) + 1 - length));
      const { bytesRead } = await handle.read(buffer);
      if (bytesRead === 0) break;
      chunks.push(buffer.subarray(0, bytesRead));
      length += bytesRead;
    }
    if (length > mostBytes) throw tooLarge(path, length);
    return Buffer.concat(chunks);
  } finally {
    await handle.close();
  }
}

const notRegular = (path: string) => new CannotTell('unreadable', `${path} is not a regular file`);

const tooLarge = (path: string, bytes: number) =>
  new CannotTell(
    'unreadable',
    `${path} has ${(bytes / mostBytes).toFixed(1)} MiB, and more than 1 MiB is not read`,
  );

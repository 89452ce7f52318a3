import { constants, readFileSync } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { CannotTell } from '../../check.ts';
import { orAbort } from '../../deadline.ts';
import { readRegularFile } from '../../read-file.ts';
import { cannotRead, danglingLink, notGiven } from './access.ts';
import { createAccounts } from './accounts.ts';
import { findMatches } from './glob.ts';
import { behindClosedFolder, inspect } from './inspect.ts';
import { isGiven, type Mount, parseMountinfo } from './mounts.ts';
import { isNamedAsPrivateKey } from './private-key.ts';
import { type Resolved, resolveInRoot } from './root.ts';
import type { FileFacts } from './types.ts';

/** The VM's files, by the VM's paths. Each rejects with the signal's reason, or with a {@link CannotTell}. */
export interface Files {
  /**
   * Regular files that match a glob, sorted. `*`, `?`, `[…]` and `{a,b}` match within one segment of the path; `**`
   * is refused. Names that start with a dot match only a pattern that names the dot.
   */
  find(pattern: string, signal: AbortSignal): Promise<readonly string[]>;
  /**
   * As `find`, but everything that is no folder: sockets and devices too, and links that lead out of what is mounted.
   * `not_applicable` behind a folder that only its owner may enter.
   */
  findPaths(pattern: string, signal: AbortSignal): Promise<readonly string[]>;
  /** Mode and owner of a path, which is not opened. */
  inspect(path: string, signal: AbortSignal): Promise<FileFacts>;
  /**
   * The bytes of a regular file of at most `limit`, 1 MiB unless given. One that is named as a private key is not opened:
   * `not_applicable`.
   */
  read(path: string, signal: AbortSignal, limit?: number): Promise<Buffer>;
  /** Whether something is there that belongs to the VM and may be read; a folder must be searchable too. */
  canRead(path: string, signal: AbortSignal): Promise<boolean>;
  /** Whether something is there that belongs to the VM and may be read and written, such as a device. */
  canUse(path: string, signal: AbortSignal): Promise<boolean>;
}

const maxBytes = 1_048_576;
/** Mounts rarely change, and thousands of files may be read in one run. */
const keepMountsMs = 1000;

/** @param mountinfo reads the text of /proc/self/mountinfo, which touches no mount. */
export function createFiles({
  hostRoot,
  mountinfo = readMountinfo,
}: {
  hostRoot: string;
  mountinfo?: () => string;
}): Files {
  let mounts: readonly Mount[] | undefined;
  let mountsReadAt = 0;
  function currentMounts(): readonly Mount[] {
    if (mounts && performance.now() - mountsReadAt < keepMountsMs) return mounts;
    mounts = parseMountinfo(mountinfo());
    mountsReadAt = performance.now();
    return mounts;
  }

  /** The real path on our side of a path of the VM, which need not exist. */
  async function locate(path: string): Promise<string> {
    const resolved = await resolveInRoot(hostRoot, path);
    if (!isOurs(resolved)) throw notGiven(path, resolved, hostRoot);
    if (resolved.dangling) throw danglingLink(path, resolved);
    return resolved.path;
  }

  async function read(path: string, signal: AbortSignal, limit: number): Promise<Buffer> {
    try {
      const real = await locate(path);
      // A link may lead to a key by another name.
      if (isNamedAsPrivateKey(path) || isNamedAsPrivateKey(real)) throw privateKey(path);
      return await readRegularFile(real, { maxBytes: limit, followLink: false }, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw cannotRead(path, error);
    }
  }

  async function can(path: string, mode: number): Promise<boolean> {
    try {
      const real = await locate(path);
      const folder = (await stat(real)).isDirectory();
      await access(real, folder ? mode | constants.X_OK : mode);
      return true;
    } catch {
      // Every failure is the same answer here.
      return false;
    }
  }

  const accounts = createAccounts({ read: (path, signal) => read(path, signal, maxBytes) });
  const isOurs = (resolved: Resolved) => isGiven(currentMounts(), resolved);
  const inspection = { hostRoot, isGiven: isOurs, accounts };

  async function findPaths(pattern: string, signal: AbortSignal): Promise<readonly string[]> {
    try {
      return await findMatches(pattern, 'no folders', locate, signal);
    } catch (error) {
      signal.throwIfAborted();
      const cause = error instanceof CannotTell ? error.cause : error;
      throw (await behindClosedFolder(pattern, cause, inspection, signal)) ?? error;
    }
  }

  return {
    find: (pattern, signal) => orAbort(findMatches(pattern, 'files', locate, signal), signal),
    findPaths: (pattern, signal) => orAbort(findPaths(pattern, signal), signal),
    inspect: (path, signal) => orAbort(inspect(path, inspection, signal), signal),
    read: (path, signal, limit = maxBytes) => orAbort(read(path, signal, limit), signal),
    canRead: (path, signal) => orAbort(can(path, constants.R_OK), signal),
    canUse: (path, signal) => orAbort(can(path, constants.R_OK | constants.W_OK), signal),
  };
}

const privateKey = (path: string): CannotTell =>
  new CannotTell('not_applicable', `${path} has the name of a private key, so it is not opened`);

/** The mounts of this process as the kernel lists them. Touches no mount, and needs none of the threads that one may block. */
export const readMountinfo = (): string => readFileSync('/proc/self/mountinfo', 'utf8');

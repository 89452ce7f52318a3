import { normalize } from 'node:path/posix';
import { CannotTell, type Filesystem, type Host } from '../check.ts';
import { notGiven } from './access.ts';
import { readMountinfo } from './files.ts';
import { coveringMount, isGiven, parseMountinfo } from './mounts.ts';
import { createStatfs, type Statfs } from './statfs.ts';

interface Places {
  readonly hostRoot: string;
  /** The agent's own folder, on our side. */
  readonly stateDir: string;
  /** The text of /proc/self/mountinfo. */
  readonly mountinfo?: () => Promise<string>;
}

/**
 * Measures the filesystem of a path of the VM. Where `/var/lib` is not mounted, the agent's state folder stands in:
 * it is a named volume, kept by the engine on that same filesystem, and gives away nobody's data.
 */
export function createFilesystem({
  hostRoot,
  stateDir,
  mountinfo = readMountinfo,
}: Places): Host['filesystem'] {
  const measure = createStatfs();

  return async (path, signal) => {
    const found = await measure(hostRoot, path, signal);
    const mounts = parseMountinfo(await mountinfo());
    if (isGiven(mounts, found.resolved)) {
      const mount = coveringMount(mounts, found.resolved.path);
      // In a container a mount is read-only because it was given so; the machine itself has no such views.
      const readOnly = mount?.filesystemReadOnly || (found.resolved.root === '/' && mount?.readOnly);
      return describe(path, found, readOnly);
    }
    const denied = notGiven(path, found.resolved, hostRoot);
    if (normalize(`${path}/`) !== '/var/lib/') throw denied;
    const state = await measure('/', stateDir, signal);
    const mount = coveringMount(mounts, state.resolved.path);
    // One in memory says nothing about any disk.
    if (!state.numbers || !mount || ['tmpfs', 'ramfs'].includes(mount.filesystemType)) throw denied;
    return describe(stateDir, state, mount.filesystemReadOnly);
  };
}

function describe(measured: string, { numbers }: Statfs, readOnly = false): Filesystem {
  if (!numbers) throw new CannotTell('not_found', `${measured} does not exist`);
  const { freeBytes, ...rest } = numbers;
  return { measured, ...rest, usedBytes: numbers.sizeBytes - freeBytes, readOnly };
}

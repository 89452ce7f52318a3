import { join, normalize } from 'node:path/posix';
import { CannotTell } from '../../check.ts';
import type { Host } from '../../host.ts';
import { notGiven } from '../files/access.ts';
import { readMountinfo } from '../files/files.ts';
import { coveringMount, isGiven, type Mount, parseMountinfo } from '../files/mounts.ts';
import type { Measurement } from './measure.ts';
import { createStatfs, type MeasureFilesystem } from './statfs.ts';
import type { Filesystem } from './types.ts';

interface Places {
  readonly hostRoot: string;
  /** The agent's state folder, on our side. */
  readonly stateDir: string;
  /** The text of /proc/self/mountinfo. */
  readonly mountinfo?: () => string;
  readonly measure?: MeasureFilesystem;
}

/**
 * Measures the filesystem of a path of the VM. Where `/var/lib` is not mounted, the agent's state folder is measured instead:
 * it is a named volume, which the engine stores on that same filesystem, and exposes no other data.
 */
export function createFilesystem({
  hostRoot,
  stateDir,
  mountinfo = readMountinfo,
  measure = createStatfs(),
}: Places): Host['filesystem'] {
  return async (path, signal) => {
    const found = await measure(hostRoot, path, signal);
    const mounts = parseMountinfo(mountinfo());
    const { resolved } = found;
    if (isGiven(mounts, resolved)) {
      const mount = coveringMount(mounts, resolved.path);
      // In a container a bind mount is read-only by choice; on the machine itself a read-only mount is a finding.
      const readOnly = mount?.filesystemReadOnly || (resolved.root === '/' && mount?.readOnly);
      return describe(path, found, readOnly, mount && aboutMount(mounts, mount, resolved.root));
    }
    const denied = notGiven(path, resolved, hostRoot);
    if (normalize(`${path}/`) !== '/var/lib/') throw denied;
    const state = await measure('/', stateDir, signal);
    const mount = coveringMount(mounts, state.resolved.path);
    // A filesystem in memory says nothing about a disk.
    if (!state.numbers || !mount || ['tmpfs', 'ramfs'].includes(mount.filesystemType)) throw denied;
    return describe(stateDir, state, mount.filesystemReadOnly, aboutMount(mounts, mount, '/'));
  };
}

function describe(
  measured: string,
  { numbers, failure }: Measurement,
  readOnly = false,
  about: Partial<Filesystem> = {},
): Filesystem {
  if (!numbers) throw new CannotTell('not_found', `${measured} does not exist`);
  const { freeBytes, ...rest } = numbers;
  return {
    measured,
    ...rest,
    usedBytes: numbers.sizeBytes - freeBytes,
    readOnly,
    ...about,
    ...(failure === undefined ? {} : { failure }),
  };
}

/** An overlay has the space of the filesystem of its upper folder, and is reported as that one. */
function aboutMount(mounts: readonly Mount[], mount: Mount, root: string) {
  const below = mount.upper === undefined ? undefined : coveringMount(mounts, join(root, mount.upper));
  const { device, shutDown } = below && below.filesystemType !== 'overlay' ? below : mount;
  const failure = shutDown ? { failure: 'shutdown' } : {};
  return { type: mount.filesystemType, source: mount.source, device, ...failure };
}

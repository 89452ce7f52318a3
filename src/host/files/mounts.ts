import type { Resolved } from './root.ts';

/** One line of /proc/self/mountinfo, the part that matters here. */
export interface Mount {
  /** `major:minor` of the filesystem, one however often and wherever it is mounted. */
  readonly device: string;
  readonly mountPoint: string;
  readonly filesystemType: string;
  /** What is mounted, usually a device. */
  readonly source: string;
  /** The upper folder of an overlay, by the path that was used to mount it. */
  readonly upper?: string;
  /** This view of the filesystem is read-only. */
  readonly readOnly: boolean;
  /** The filesystem is read-only, whatever the view. */
  readonly filesystemReadOnly: boolean;
  /** The kernel has shut the filesystem down: ext4 reports it here, and goes on answering from memory. */
  readonly shutDown: boolean;
}

/**
 * Reads the text of /proc/self/mountinfo (proc_pid_mountinfo(5)): six fields, any number of optional ones, a
 * hyphen, three more. Other lines are ignored.
 */
export function parseMountinfo(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line) => {
    const fields = line.split(' ');
    const [, , device, , mountPoint, options] = fields;
    const hyphen = fields.indexOf('-', 6);
    const [, filesystemType, source = '', superblockOptions] = fields.slice(hyphen);
    if (hyphen < 0 || !device || !mountPoint?.startsWith('/') || !options) return [];
    if (!filesystemType || superblockOptions === undefined) return [];
    const filesystem = superblockOptions.split(',');
    const upper = filesystem.find((option) => option.startsWith('upperdir=/'))?.slice('upperdir='.length);
    return {
      device,
      mountPoint: plain(mountPoint),
      filesystemType,
      source: plain(source),
      ...(upper === undefined ? {} : { upper: plain(upper) }),
      readOnly: options.split(',').includes('ro'),
      // ext4 reports emergency_ro after an error has stopped writes.
      filesystemReadOnly: filesystem.includes('ro') || filesystem.includes('emergency_ro'),
      shutDown: filesystem.includes('shutdown'),
    };
  });
}

/** Space, tab, newline, backslash and hash are escaped as three octal digits. */
const plain = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

// Those of a disk of this machine or of its memory. A filesystem with a server behind it, in the network or in another
// process, is not listed, nor is one that waits for a device to come back, such as ZFS.
const localTypes = new Set(
  'ext2 ext3 ext4 xfs btrfs f2fs vfat exfat squashfs erofs overlay tmpfs ramfs'.split(' '),
);

/** Whether a path is on a filesystem that answers without waiting for anything outside the kernel and its disks. */
export function isLocal(mounts: readonly Mount[], path: string): boolean {
  const mount = coveringMount(mounts, path);
  return mount !== undefined && localTypes.has(mount.filesystemType);
}

/** Whether a path is a folder or below it. Both are absolute and without `..`. */
const isWithin = (folder: string, path: string): boolean =>
  path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);

/** The mount that contains a real path: the nearest one, and of several at the same place the last. */
export function coveringMount(mounts: readonly Mount[], path: string): Mount | undefined {
  let covering: Mount | undefined;
  for (const mount of mounts) {
    const nearer = mount.mountPoint.length >= (covering?.mountPoint.length ?? 0);
    if (nearer && isWithin(mount.mountPoint, path)) covering = mount;
  }
  return covering;
}

/**
 * Whether a path below the host root belongs to the VM rather than to the container.
 *
 * A folder on a mount at or below the host root was mounted. Where only deeper mounts exist, the engine created the folders
 * above them as mount points, so they prove nothing. A host root without any mount is a plain folder, as on a
 * developer's machine, and offers what it contains. The host root `/` is the machine itself.
 */
export function isGiven(mounts: readonly Mount[], { root, path, existing }: Resolved): boolean {
  if (root === '/') return true;
  const covering = coveringMount(mounts, path);
  if (covering && isWithin(root, covering.mountPoint)) return true;
  if (mounts.some(({ mountPoint }) => isWithin(root, mountPoint))) return false;
  return existing !== undefined && (existing === path || existing === parentOf(path));
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';

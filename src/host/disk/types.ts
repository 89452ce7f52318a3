import type { Answer } from '../../answer.ts';

/** What a check may ask about disks. */
export interface DiskHost {
  /** The filesystem that holds a path. `mount_stuck` when it does not answer. */
  filesystem(path: string, signal: AbortSignal): Answer<Filesystem, 'mount_stuck'>;
  /** What the container engine keeps on its disk; undefined when no engine answers. */
  engineUsage(signal: AbortSignal): Answer<EngineUsage | undefined>;
}

/** Sizes as `df` has them. */
export interface Filesystem {
  /** The path that was measured: the one asked for, or another on the same filesystem. */
  readonly measured: string;
  /** As the kernel calls it: `ext4`, `xfs`, `overlay`. Absent where it is not known, as the next two. */
  readonly type?: string;
  /** What is mounted: mostly a device. */
  readonly source?: string;
  /** The kernel's number for the filesystem, the same wherever and however often it is mounted. */
  readonly device?: string;
  readonly sizeBytes: number;
  readonly usedBytes: number;
  /** Free for those who are not root. */
  readonly availableBytes: number;
  /** Inodes in all; 0 where the filesystem does not count them. */
  readonly files: number;
  readonly filesFree: number;
  /** The filesystem itself is read-only, not just this view of it. */
  readonly readOnly: boolean;
}

/** What the container engine keeps, in bytes. */
export interface EngineUsage {
  /** Where, by the VM's path. */
  readonly folder: string;
  readonly images: EngineSpace;
  /** What containers have written to their own layers; it can be had back from those that are stopped. */
  readonly containers: EngineSpace;
  readonly volumes: EngineSpace;
  readonly buildCache: EngineSpace;
}

/** What one kind of thing takes of the engine's disk. */
export interface EngineSpace {
  readonly bytes: number;
  /** How much of it nothing uses. */
  readonly unusedBytes: number;
}

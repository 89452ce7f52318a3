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
  /** The measured path: the requested one, or another on the same filesystem. */
  readonly measured: string;
  /** The kernel's name: `ext4`, `xfs`, `overlay`. Absent where it is unknown, like the next two. */
  readonly type?: string;
  /** What is mounted, usually a device. */
  readonly source?: string;
  /** The kernel's number for the filesystem, the same wherever and however often it is mounted. */
  readonly device?: string;
  readonly sizeBytes: number;
  readonly usedBytes: number;
  /** Free for other users than root. */
  readonly availableBytes: number;
  /** All inodes; 0 where the filesystem does not count them. */
  readonly files: number;
  readonly filesFree: number;
  /** The filesystem itself is read-only, not only this mount of it. */
  readonly readOnly: boolean;
  /** Why it is unusable although it answers statfs: the error of another call (`EIO`), or `shutdown` as the kernel reports. */
  readonly failure?: string;
}

/** What the container engine stores, in bytes. */
export interface EngineUsage {
  /** The VM's path of its data folder. */
  readonly folder: string;
  readonly images: EngineSpace;
  /** What containers have written to their own layers; removing stopped containers frees it. */
  readonly containers: EngineSpace;
  readonly volumes: EngineSpace;
  readonly buildCache: EngineSpace;
}

/** What one kind of object takes on the engine's disk. */
export interface EngineSpace {
  readonly bytes: number;
  /** How much of it is unused. */
  readonly unusedBytes: number;
}

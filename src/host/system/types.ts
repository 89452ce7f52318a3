import type { Answer } from '../../answer.ts';

/** What a check may ask about the operating system. */
export interface SystemHost {
  /** The operating system of the machine, never of the container. */
  system(signal: AbortSignal): Answer<System>;
}

/** An operating system, as far as it is known. */
export interface System {
  /** `ID` of os-release, such as `azurelinux`; undefined where neither that nor the kernel tells. */
  readonly id: string | undefined;
  /** `VERSION_ID` of os-release, such as `3.0`. */
  readonly version: string | undefined;
  /** What tells: the file, or names in the kernel's version. */
  readonly source: 'os-release' | 'kernel';
  /** Folders and files that only EFLOW has are mounted. */
  readonly hasEflowFiles: boolean;
}

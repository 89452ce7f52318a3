import type { Answer } from '../../answer.ts';

/** What a check may ask about the operating system. */
export interface SystemHost {
  system(signal: AbortSignal): Answer<System>;
}

/** The operating system of the VM, as far as it is known. */
export interface System {
  /** `ID` of os-release, such as `azurelinux`. */
  readonly id?: string | undefined;
  /** `VERSION_ID` of os-release, such as `3.0`. */
  readonly version?: string | undefined;
  /** `uname -r` */
  readonly kernelRelease: string;
}

import type { Answer } from '../../answer.ts';

/** What a check may ask about the VM's files. */
export interface FileHost {
  /** Paths that match a glob, sorted; empty when the folder is there and nothing in it matches. */
  findFiles(pattern: string, signal: AbortSignal): Answer<readonly string[]>;
}

import type { Answer, Need } from '../../host.ts';

/** What a check may ask about the VM's files, and about its own access. */
export interface FileHost {
  /** Whether this machine grants what a check needs. What the network lets through, only the check itself finds out. */
  grants(need: Exclude<Need, { kind: 'network' }>, signal: AbortSignal): Answer<boolean>;
  /** Paths that match a glob, sorted; empty when the folder is there and nothing in it matches. */
  findFiles(pattern: string, signal: AbortSignal): Answer<readonly string[]>;
}

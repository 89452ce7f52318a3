import type { Answer } from '../../answer.ts';

/** What a check may ask about the VM's files. */
export interface FileHost {
  /** Paths that match a glob, sorted; empty when the folder is there and nothing in it matches. */
  findFiles(pattern: string, signal: AbortSignal): Answer<readonly string[]>;
  /** As `findFiles`, but everything that is no folder; `not_applicable` behind a folder that only its owner may enter. */
  findPaths(pattern: string, signal: AbortSignal): Answer<readonly string[]>;
  /**
   * What the filesystem says about a path, without opening it. `not_found` where there is nothing, `not_applicable` behind a
   * folder that only its owner may enter.
   */
  inspectFile(path: string, signal: AbortSignal): Answer<FileFacts>;
}

/** Mode and owner of a path; of a symbolic link, those of its target unless that is not mounted. */
export interface FileFacts {
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'other';
  /** Permissions with set-user-id, set-group-id and sticky bit. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** When its contents changed last. */
  readonly modifiedAt: Date;
  /** The VM's names for the ids; empty where it has none. */
  readonly owners: readonly string[];
  readonly groups: readonly string[];
  /** Whether the VM's passwd and group files could be read. Without them only root has a name. */
  readonly namesKnown: { readonly users: boolean; readonly groups: boolean };
  /** Where a symbolic link leads to in the VM. */
  readonly leadsTo?: string;
  /** The same for a link whose target is not mounted. Mode and owner are then those of the link. */
  readonly leaves?: string;
  /** A folder above it that everybody may write to, without the sticky bit: they can replace what is in it. */
  readonly openFolder?: string;
}

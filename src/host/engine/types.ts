import type { Answer } from '../../answer.ts';
import type { ProxyVariables } from '../edge/types.ts';

/** What a check may ask the container engine. */
export interface EngineHost {
  /** Every container, running or not, as the engine had them at most some seconds ago. `no_access` without its socket. */
  containers(signal: AbortSignal): Answer<readonly Container[]>;
}

/** A container, by its inspection. */
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly mounts: readonly Mount[];
  /** The variable `storageFolder`, by which edgeAgent and edgeHub choose where to keep their state. */
  readonly storageFolder?: string | undefined;
  readonly proxy: ProxyVariables;
}

/** A mount of a container. */
export interface Mount {
  readonly type: 'bind' | 'volume' | 'tmpfs' | 'other';
  /** A path of the VM; for a volume, where the engine keeps it. */
  readonly source: string;
  /** A path in the container. */
  readonly target: string;
  readonly isWritable: boolean;
}

/** What a check may ask about the agent itself. */
export interface AgentHost {
  /** Why the agent cannot remember; undefined while it can. */
  memoryProblem(): MemoryProblem | undefined;
  /** The connection to edgeHub; undefined where there is none to make: in standalone mode and on the command line. */
  hubLink(): HubLink | undefined;
  /** Calls `onChange` when the connection is made or lost or its problem is another, until the signal fires. */
  watchHub(onChange: (what: string) => void, signal: AbortSignal): void;
  /** The outcome of the last policy that was requested. */
  policyOutcome(): PolicyOutcome;
  /** The alerts that this module has sent; undefined where it is no module. */
  alerts(): SentAlerts | undefined;
}

/** The alerts of this module. */
export interface SentAlerts {
  /** `<module>/<output>` */
  readonly source: string;
  /** When edgeHub last accepted one; undefined before the first since the start. */
  readonly lastAt?: Date | undefined;
}

/** Why the agent cannot remember, or has forgotten. */
export interface MemoryProblem {
  /** `absent`: there is no folder that could be written to, so none was given. */
  readonly kind: 'absent' | 'damaged' | 'newer' | 'unwritable';
  readonly message: string;
  /** The system error behind it, such as `EROFS`. */
  readonly code?: string | undefined;
}

/** The connection to edgeHub. */
export interface HubLink {
  readonly connected: boolean;
  /** For how long it has been so, by a clock that no step moves. */
  readonly seconds: number;
  /** Why the last attempt failed, or what the current one waits for; absent while connected. */
  readonly problem?: HubProblem | undefined;
  /** That another instance of this module keeps taking over the connection, in a sentence. */
  readonly takeover?: string | undefined;
  /** What fails although edgeHub accepts the connection, the longest first. */
  readonly troubles?: readonly HubTrouble[] | undefined;
}

/** A use of the connection that fails. */
export interface HubTrouble {
  readonly use: 'twin' | 'reports' | 'messages';
  /** For how long, by a clock that no step moves. */
  readonly seconds: number;
  /** One sentence. */
  readonly message: string;
  readonly detail?: HubDetail | undefined;
}

/** What the remedy depends on beyond the reason or the use. */
export type HubDetail = 'wrong_name' | 'wrong_time' | 'unavailable' | 'no_twin' | 'no_messages' | 'throttled';

/** Why there is no connection to edgeHub. */
export interface HubProblem {
  readonly reason: 'offline' | 'not_authorized' | 'certificate_rejected' | 'workload_api_failed';
  /** One sentence. */
  readonly message: string;
  readonly detail?: HubDetail | undefined;
}

/** Whether the last policy that was requested is in force. */
export interface PolicyOutcome {
  /** The origin of the policy in force. */
  readonly source: 'twin' | 'file' | 'saved' | 'default';
  /** The desired `$version` that was read last; 0 without one. */
  readonly version: number;
  /** Whether that version is in force; otherwise an earlier policy still is. */
  readonly accepted: boolean;
  /** What is wrong with it, in sentences. */
  readonly problems: readonly string[];
  /** Why the policy file can no longer be read; the policy that was read from it last stays in force. */
  readonly fileProblem?: string | undefined;
  /** The exceptions of the policy in force. */
  readonly exceptions: readonly {
    readonly check: string;
    readonly target: string;
    /** The last day on which it applies, as `2027-03-31`. */
    readonly until?: string | undefined;
    /** That day has passed. */
    readonly over: boolean;
  }[];
}

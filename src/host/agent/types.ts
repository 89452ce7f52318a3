/** What a check may ask about the agent itself. */
export interface AgentHost {
  /** Why the agent cannot remember; undefined while it can. */
  memoryProblem(): MemoryProblem | undefined;
}

/** Why the agent cannot remember, or has forgotten. */
export interface MemoryProblem {
  /** `absent`: there is no folder that could be written to, so none was given. */
  readonly kind: 'absent' | 'damaged' | 'newer' | 'unwritable';
  readonly message: string;
}

import type { Answer } from '../../answer.ts';

/** What a check may ask about the IoT Edge runtime. */
export interface EdgeHost {
  /** The modules on this device. `not_applicable` where the agent is not a module itself. */
  modules(signal: AbortSignal): Answer<readonly EdgeModule[]>;
}

/** A module as the IoT Edge runtime lists it. */
export interface EdgeModule {
  readonly name: string;
  /** The reference it was deployed with, `registry/repository:tag`. */
  readonly image: string;
}

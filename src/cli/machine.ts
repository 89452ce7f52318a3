import { checks } from '../checks/index.ts';
import type { Config } from '../config.ts';
import { createHost } from '../host/index.ts';
import type { Host } from '../host.ts';
import { defaultPolicy, type PolicyInForce } from '../policy/in-force.ts';
import { savedPolicy } from '../policy/keeper.ts';
import { readPolicy, readPolicyText } from '../policy/policy.ts';
import { checkMemoryName, createCheckMemory } from '../state/check-memory.ts';
import { readStateFile, type StateFile } from '../state/state-file.ts';
import { nameOf, readPolicyFile } from './policy-file.ts';

/** This machine, with what the agent that runs on it remembers. */
export interface Machine {
  readonly state: Pick<StateFile, 'get'>;
  readonly host: Host;
}

export async function openMachine(config: Config): Promise<Machine> {
  const state = await readStateFile(config.stateDir);
  const memory = createCheckMemory({ now: () => new Date(), saved: state.get(checkMemoryName) });
  return { state, host: createHost({ ...config, memory, memoryProblem: state.problem }) };
}

/** The policy for one run: the file asked for, the environment's, the one saved from the twin, or the built-in one. */
export async function policyFor(
  config: Config,
  { state, host }: Machine,
  file: string | undefined,
): Promise<PolicyInForce> {
  const defaults = defaultPolicy(checks, host.now());
  const path = file ?? config.policyFile;
  const saved = path === undefined ? savedPolicy(state) : undefined;
  if (path === undefined && saved === undefined) return defaults;
  const { document, outcome } =
    path === undefined
      ? { document: saved?.document, outcome: readPolicy(saved?.document, checks) }
      : readPolicyText(await readPolicyFile(path), checks);
  if (!outcome.accepted) {
    const name = path === undefined ? 'The saved policy' : nameOf(path);
    throw new Error(`${name} is not a valid policy: ${outcome.problems.join('; ')}`);
  }
  const source = path === undefined ? 'saved' : 'file';
  const { policy, warnings } = outcome;
  return { ...defaults, source, version: saved?.version ?? 0, document, policy, warnings };
}

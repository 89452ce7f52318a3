import { checks } from '../checks/index.ts';
import type { Config } from '../config.ts';
import { createHost } from '../host/index.ts';
import type { Host } from '../host.ts';
import { defaultPolicy, type PolicyInForce } from '../policy/in-force.ts';
import { savedPolicy } from '../policy/keeper.ts';
import { readPolicy, readPolicyText } from '../policy/policy.ts';
import { policyOutcome } from '../run/policy-outcome.ts';
import { checkMemoryName, createCheckMemory } from '../state/check-memory.ts';
import { readStateFile, type StateFile } from '../state/state-file.ts';
import { nameOf, readPolicyFile } from './policy-file.ts';

/** This machine, and the policy that one run on it follows. */
export interface Machine {
  readonly host: Host;
  readonly inForce: PolicyInForce;
  /** The file that the policy was read from, as messages call it. */
  readonly policyFile: string | undefined;
}

/** This machine with what the agent on it remembers, without a connection to edgeHub. */
export async function openMachine(config: Config, policyFile: string | undefined): Promise<Machine> {
  const now = () => new Date();
  const state = await readStateFile(config.stateDir);
  const { inForce, file } = await policyFor(config, state, policyFile, now());
  const host = createHost({
    ...config,
    memory: createCheckMemory({ now, saved: state.get(checkMemoryName) }),
    memoryProblem: state.problem,
    hubLink: () => undefined,
    watchHub: () => {},
    policyOutcome: () => policyOutcome(inForce, now()),
    alerts: () => undefined,
  });
  return { host, inForce, policyFile: file };
}

/** The policy for one run: the file asked for, the environment's, the one saved from the twin, or the built-in one. */
async function policyFor(
  config: Config,
  state: Pick<StateFile, 'get'>,
  file: string | undefined,
  now: Date,
): Promise<{ readonly inForce: PolicyInForce; readonly file?: string }> {
  const defaults = defaultPolicy(checks, now);
  const kept = file === undefined ? savedPolicy(state) : undefined;
  // As for the agent, the policy of the module twin takes precedence over a file.
  const path = file ?? (config.mode === 'edge' && kept ? undefined : config.policyFile);
  const saved = path === undefined ? kept : undefined;
  if (path === undefined && saved === undefined) return { inForce: defaults };
  const { document, outcome } =
    path === undefined
      ? { document: saved?.document, outcome: readPolicy(saved?.document, checks) }
      : readPolicyText(await readPolicyFile(path), checks);
  const named = path === undefined ? {} : { file: nameOf(path) };
  if (!outcome.accepted)
    throw new Error(
      `${named.file ?? 'The saved policy'} is not a valid policy: ${outcome.problems.join('; ')}`,
    );
  const source = path === undefined ? 'saved' : 'file';
  const { policy, warnings } = outcome;
  return {
    ...named,
    inForce: { ...defaults, source, version: saved?.version ?? 0, document, policy, warnings },
  };
}

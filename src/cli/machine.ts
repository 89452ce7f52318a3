import { readFile } from 'node:fs/promises';
import { checks } from '../checks/index.ts';
import type { Config } from '../config.ts';
import { createHost } from '../host/index.ts';
import type { Host } from '../host.ts';
import { defaultPolicy, type PolicyInForce } from '../policy/in-force.ts';
import { parseJsonc } from '../policy/jsonc.ts';
import { savedPolicy } from '../policy/keeper.ts';
import { readPolicy } from '../policy/policy.ts';
import { policyOutcome } from '../run/policy-outcome.ts';
import { checkMemoryName, createCheckMemory } from '../state/check-memory.ts';
import { readStateFile, type StateFile } from '../state/state-file.ts';

/** This machine, and the policy that one run on it follows. */
export interface Machine {
  readonly host: Host;
  readonly inForce: PolicyInForce;
}

/** This machine with what the agent on it remembers, without a connection to edgeHub. */
export async function openMachine(config: Config, policyFile: string | undefined): Promise<Machine> {
  const now = () => new Date();
  const state = await readStateFile(config.stateDir);
  const inForce = await policyFor(config, state, policyFile, now());
  const host = createHost({
    ...config,
    memory: createCheckMemory({ now, saved: state.get(checkMemoryName) }),
    memoryProblem: state.problem,
    hubLink: () => undefined,
    watchHub: () => {},
    policyOutcome: () => policyOutcome(inForce, now()),
  });
  return { host, inForce };
}

/** The policy for one run: the file asked for, the environment's, the one saved from the twin, or the built-in one. */
async function policyFor(
  config: Config,
  state: Pick<StateFile, 'get'>,
  file: string | undefined,
  now: Date,
): Promise<PolicyInForce> {
  const defaults = defaultPolicy(checks, now);
  const path = file ?? config.policyFile;
  const saved = path === undefined ? savedPolicy(state) : undefined;
  const document = path === undefined ? saved?.document : await readDocument(path);
  if (document === undefined) return defaults;
  const outcome = readPolicy(document, checks);
  if (!outcome.accepted) {
    throw new Error(`${path ?? 'The saved policy'} is not a valid policy: ${outcome.problems.join('; ')}`);
  }
  const source = path === undefined ? 'saved' : 'file';
  return { ...defaults, source, version: saved?.version ?? 0, document, policy: outcome.policy };
}

/** A policy file's JSON, comments allowed. It may be a pipe: somebody at a terminal waits for it. */
export async function readDocument(file: string): Promise<unknown> {
  try {
    return parseJsonc(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new Error(`Could not read the policy ${file}`, { cause });
  }
}

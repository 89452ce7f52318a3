import { readFile } from 'node:fs/promises';
import { checks } from '../checks/index.ts';
import type { Config } from '../config.ts';
import { createHost } from '../host/index.ts';
import type { Host } from '../host.ts';
import { defaultPolicy, type PolicyInForce } from '../policy/in-force.ts';
import { parseJsonc } from '../policy/jsonc.ts';
import { savedPolicy } from '../policy/keeper.ts';
import { readPolicy } from '../policy/policy.ts';
import { checkMemoryName, createCheckMemory } from '../state/check-memory.ts';
import { readStateFile, type StateFile } from '../state/state-file.ts';

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

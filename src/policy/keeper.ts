import { unwatchFile, watchFile } from 'node:fs';
import { z } from 'zod';
import type { Check } from '../check.ts';
import type { Log } from '../log.ts';
import { readRegularFile } from '../read-file.ts';
import type { StateFile } from '../state/state-file.ts';
import { defaultPolicy, evaluate, type PolicyInForce } from './in-force.ts';
import { parseJsonc } from './jsonc.ts';

/** Keeps the last good policy through bad ones, restarts and an unreachable hub. */
export interface PolicyKeeper {
  inForce(): PolicyInForce;
  /** Calls `onChange` with the earlier policy whenever another one is in force, or has been refused. */
  subscribe(onChange: (before: PolicyInForce) => void): void;
  /**
   * Takes the twin's desired properties and returns whether anything has changed. Without a `$version` edgeHub has made
   * the twin up, and nothing changes; where there is no desired policy, the file's or the built-in one is used.
   */
  applyDesired(desired: Readonly<Record<string, unknown>>): boolean;
  /** Looks at the policy file again. */
  reread(): Promise<void>;
  close(): void;
}

export interface PolicyKeeperOptions {
  readonly checks: readonly Check[];
  /** The policy file, followed as it changes; a policy in the twin goes before it. */
  readonly file: string | undefined;
  readonly state: StateFile;
  /** Whether a policy saved from the twin is taken up again. */
  readonly connected: boolean;
  readonly log: Log;
  readonly now: () => Date;
}

const savedName = 'policy';
const savedSchema = z.object({ version: z.number(), document: z.unknown() });

/** The last policy that was accepted from the twin. */
export const savedPolicy = (state: Pick<StateFile, 'get'>): z.infer<typeof savedSchema> | undefined =>
  savedSchema.safeParse(state.get(savedName)).data;

// By asking for its time of change: a mounted configuration file is replaced as often as written.
const fileLookMs = 2000;

/** The text of a policy file; rejects for one that is no regular file or has more than 1 MiB. */
const readPolicyFile = async (path: string): Promise<string> =>
  (await readRegularFile(path, { mostBytes: 1_048_576 })).toString();

/** Rejects when there is a policy file that cannot be read. One with a bad policy leaves the defaults in force. */
export async function openPolicyKeeper(options: PolicyKeeperOptions): Promise<PolicyKeeper> {
  const { checks, file, state, log, now } = options;
  const defaults = defaultPolicy(checks, now());
  const listeners: ((before: PolicyInForce) => void)[] = [];
  let fallback = file ? follow(defaults, await readPolicyFile(file)) : defaults;
  let current = (options.connected && saved()) || fallback;
  tell(current);

  function follow(before: PolicyInForce, text: string): PolicyInForce {
    try {
      return evaluate(before, { source: 'file', version: 0, document: parseJsonc(text) }, checks, now());
    } catch (error) {
      return {
        ...before,
        accepted: false,
        problems: [`${file} is ${error instanceof Error ? error.message : String(error)}`],
      };
    }
  }

  function saved(): PolicyInForce | undefined {
    const kept = savedPolicy(state);
    if (kept === undefined) return undefined;
    const considered = evaluate(defaults, { source: 'saved', ...kept }, checks, now());
    if (considered.accepted) return considered;
    log.warn({ problems: considered.problems }, 'The saved policy is not taken up');
    return undefined;
  }

  function tell({ source, version, accepted, problems }: PolicyInForce): void {
    if (accepted) log.info({ source, version }, 'Policy in force');
    else log.warn({ version, problems }, 'Policy not accepted, the earlier one stays in force');
  }

  function change(next: PolicyInForce): boolean {
    const news =
      next.version !== current.version ||
      next.accepted !== current.accepted ||
      next.source !== current.source;
    if (!news && next.policy === current.policy && next.problems.join() === current.problems.join())
      return false;
    const before = current;
    current = next;
    tell(next);
    for (const onChange of listeners) onChange(before);
    return true;
  }

  async function reread(): Promise<void> {
    if (!file) return;
    try {
      const before = fallback;
      fallback = follow(before, await readPolicyFile(file));
      if (current.source === 'twin' || current.source === 'saved') return;
      // What the twin asked for and was refused stays so.
      const { accepted, version, problems } = current;
      change(version > 0 && !accepted ? { ...fallback, accepted, version, problems } : fallback);
    } catch (error) {
      log.warn({ err: error, file }, 'Could not read the policy file, its last policy stays');
    }
  }

  if (file) watchFile(file, { interval: fileLookMs, persistent: false }, () => void reread());

  return {
    inForce: () => current,
    subscribe: (onChange) => void listeners.push(onChange),
    applyDesired({ $version: version, policy: document }) {
      if (typeof version !== 'number') return false;
      if (document === undefined) {
        state.set(savedName, undefined);
        return change(fallback);
      }
      const next = evaluate(current, { source: 'twin', version, document }, checks, now());
      if (next.accepted) state.set(savedName, { version, document });
      return change(next);
    },
    reread,
    close() {
      if (file) unwatchFile(file);
    },
  };
}

import { unwatchFile, watchFile } from 'node:fs';
import * as z from 'zod';
import type { Check } from '../check.ts';
import { describeError } from '../errors.ts';
import type { Log } from '../log.ts';
import { didYouMean } from '../nearest.ts';
import { readRegularFile } from '../read-file.ts';
import type { StateFile } from '../state/state-file.ts';
import { maxPolicyBytes } from './decode-text.ts';
import { defaultPolicy, evaluate, type PolicyInForce } from './in-force.ts';
import { readPolicy, readPolicyText } from './policy.ts';
import { pathText } from './problems.ts';

/** Keeps the last good policy through bad ones, restarts and an unreachable hub. */
export interface PolicyKeeper {
  inForce(): PolicyInForce;
  /** Calls `onChange` with the earlier state whenever another policy is in force, or a requested one was refused. */
  subscribe(onChange: (before: PolicyInForce) => void): void;
  /**
   * Applies the twin's desired properties and returns whether that changed anything. Ignores them without a `$version`:
   * edgeHub has then made the twin up. Without a desired policy, the file's or the built-in one is used.
   */
  applyDesired(desired: Readonly<Record<string, unknown>>): boolean;
  /** Reads the policy file again. */
  reread(): Promise<void>;
  close(): void;
}

export interface PolicyKeeperOptions {
  readonly checks: readonly Check[];
  /** The policy file, followed as it changes. A policy in the twin takes precedence. */
  readonly file: PolicyFile | undefined;
  readonly state: StateFile;
  /** Whether a policy saved from the twin is used again. */
  readonly connected: boolean;
  readonly log: Log;
  readonly now: () => Date;
}

const savedName = 'policy';
const savedSchema = z.object({ version: z.number(), document: z.unknown() });

/** The last policy that was accepted from the twin. */
export const savedPolicy = (state: Pick<StateFile, 'get'>): z.infer<typeof savedSchema> | undefined =>
  savedSchema.safeParse(state.get(savedName)).data;

// Polled, because a mounted configuration file is replaced as often as written.
const filePollMs = 2000;

/** A policy file and what it contains. */
export interface PolicyFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Reads a policy file. Rejects for anything but a regular file of at most 1 MiB. */
export const readPolicyFile = async (path: string): Promise<PolicyFile> => ({
  path,
  bytes: await readRegularFile(path, { maxBytes: maxPolicyBytes }),
});

/** What the twin contains beside the policy. Listed, because a misspelt `policy` would otherwise go unnoticed. */
function ignoredWarnings(desired: Readonly<Record<string, unknown>>): readonly string[] {
  const ignored = Object.keys(desired).filter((key) => !['$version', '$metadata', 'policy'].includes(key));
  const listed = ignored
    .slice(0, maxIgnored)
    .map((key) => `${pathText([key])}${didYouMean(key, ['policy'])}`);
  if (ignored.length > maxIgnored) listed.push(`${ignored.length - maxIgnored} more`);
  return listed.length === 0 ? [] : [`Unknown desired properties are ignored: ${listed.join(' ')}`];
}

const maxIgnored = 5;

/** Logs each state, and each warning once until the policy in force or its warnings change. */
function createStateLog(log: Log): (state: PolicyInForce) => void {
  let last: Pick<PolicyInForce, 'policy' | 'warnings'> | undefined;
  return (state) => {
    const { source, version, accepted, problems, policy, warnings, fileProblem } = state;
    const kept = source === 'default' ? 'the built-in policy' : 'the earlier one';
    if (!accepted) log.warn({ version, problems }, `Policy refused, ${kept} stays in force`);
    else if (!fileProblem) log.info({ source, version }, 'Policy in force');
    const logged = last?.policy === policy ? last.warnings : [];
    for (const warning of warnings) if (!logged.includes(warning)) log.warn({ version }, warning);
    // A refused policy has no warnings of its own, and does not end those of the policy in force.
    if (accepted) last = state;
  };
}

/** An invalid policy in the file leaves the defaults in force. */
export async function openPolicyKeeper(options: PolicyKeeperOptions): Promise<PolicyKeeper> {
  const { checks, file, state, log, now } = options;
  const defaults = defaultPolicy(checks, now());
  const listeners: ((before: PolicyInForce) => void)[] = [];
  let fallback = file ? fromFile(defaults, file) : defaults;
  let current = (options.connected && saved()) || fallback;
  let ignored: readonly string[] = [];
  const logState = createStateLog(log);
  logState(current);

  function fromFile(before: PolicyInForce, { path, bytes }: PolicyFile): PolicyInForce {
    const { document, outcome } = readPolicyText(bytes, checks);
    const read = evaluate(before, { source: 'file', version: 0, document }, outcome, now());
    const problems = read.problems.map((problem) => `${path}: ${problem}`);
    return { ...read, fileProblem: undefined, problems };
  }

  function saved(): PolicyInForce | undefined {
    const kept = savedPolicy(state);
    if (kept === undefined) return undefined;
    const outcome = readPolicy(kept.document, checks);
    if (outcome.accepted) return evaluate(defaults, { source: 'saved', ...kept }, outcome, now());
    log.warn({ problems: outcome.problems }, 'The saved policy is not valid for this version and is ignored');
    return undefined;
  }

  function change(next: PolicyInForce): boolean {
    const same =
      next.version === current.version &&
      next.accepted === current.accepted &&
      next.source === current.source &&
      next.policy === current.policy &&
      next.fileProblem === current.fileProblem &&
      next.problems.join() === current.problems.join() &&
      next.warnings.join() === current.warnings.join();
    if (same) return false;
    const before = current;
    current = next;
    logState(next);
    for (const onChange of listeners) onChange(before);
    return true;
  }

  const withIgnored = (policy: PolicyInForce): PolicyInForce => ({
    ...policy,
    warnings: [...policy.warnings, ...ignored],
  });

  async function readAgain({ path }: PolicyFile): Promise<PolicyInForce> {
    try {
      return fromFile(fallback, await readPolicyFile(path));
    } catch (cause) {
      const error = new Error(`Could not read the policy file ${path}`, { cause });
      log.warn({ err: error }, 'The last good policy stays in force');
      // What the file last had may have been refused; that is no longer what is wrong.
      return { ...fallback, accepted: true, problems: [], fileProblem: describeError(error) };
    }
  }

  async function reread(): Promise<void> {
    if (!file) return;
    fallback = await readAgain(file);
    if (current.source === 'twin' || current.source === 'saved') return;
    // A refusal of the twin's policy remains.
    const { accepted, version, problems } = current;
    change(withIgnored(version > 0 && !accepted ? { ...fallback, accepted, version, problems } : fallback));
  }

  if (file) watchFile(file.path, { interval: filePollMs, persistent: false }, () => void reread());
  // The file may have been replaced since it was read, which is no change to what is watched from now on.
  await reread();

  return {
    inForce: () => current,
    subscribe: (onChange) => void listeners.push(onChange),
    applyDesired(desired) {
      const { $version: version, policy: document } = desired;
      if (typeof version !== 'number') return false;
      ignored = ignoredWarnings(desired);
      if (document === undefined) {
        state.set(savedName, undefined);
        return change(withIgnored(fallback));
      }
      const outcome = readPolicy(document, checks);
      if (outcome.accepted) state.set(savedName, { version, document });
      const next = evaluate(current, { source: 'twin', version, document }, outcome, now());
      return change(withIgnored(next));
    },
    reread,
    close() {
      if (file) unwatchFile(file.path);
    },
  };
}

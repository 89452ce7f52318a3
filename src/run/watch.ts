import type { Check } from '../check.ts';
import type { Host } from '../host.ts';
import type { Policy } from '../policy/policy.ts';
import { type Change, type ConfirmedFinding, confirm, type Pending } from './confirm.ts';
import { applyExceptions } from './exceptions.ts';
import { type CheckReport, worst } from './report.ts';
import { type CheckResult, runCheck } from './runner.ts';

/** Why a check runs. Changes are confirmed first, but for a run that a person or a new policy asked for. */
export type Cause = 'schedule' | 'confirm' | 'policy' | 'asked';

/** The outcome of one run. */
export interface Ran {
  readonly result: CheckResult;
  readonly cause: Cause;
  /** Statuses that differ from the run before, confirmed or not. */
  readonly transitions: number;
  /** Confirmed changes. */
  readonly changes: readonly Change[];
}

/** One check from run to run. */
export interface Watch {
  readonly check: Check;
  /** What the check reports; undefined before its first run. */
  report(): CheckReport | undefined;
  /** Runs the check once. Joins a run in progress, which a new policy restarts instead. */
  run(policy: Policy, cause: Cause): Promise<void>;
  /** Ends the run in progress and cancels the confirming run. */
  stop(): void;
}

/** What an earlier process reported of a check. */
export type Remembered = Pick<CheckReport, 'since' | 'findings'>;

export interface WatchOptions {
  readonly check: Check;
  readonly host: Host;
  readonly remembered: Remembered | undefined;
  onRan(ran: Ran): void;
}

/** Starts with what was remembered. Runs nothing by itself. */
export function createWatch({ check, host, remembered, onRan }: WatchOptions): Watch {
  let confirmed: readonly ConfirmedFinding[] = remembered?.findings ?? [];
  let since = remembered?.since;
  let pending: Pending = new Map();
  let seen: ReadonlyMap<string, string> | undefined;
  let report: CheckReport | undefined;
  let running: { readonly done: Promise<void>; readonly controller: AbortController } | undefined;
  let confirming: NodeJS.Timeout | undefined;

  async function runOnce(policy: Policy, cause: Cause, signal: AbortSignal): Promise<void> {
    const result = await examine(check, policy, host, signal);
    signal.throwIfAborted();
    // An exception cannot hide that it is over itself, or that a policy was refused.
    const exceptions = check.uses.includes('policyOutcome') ? [] : policy.exceptions;
    const findings = applyExceptions(check.id, result.findings, exceptions, result.startedAt);

    const statuses = new Map(findings.map(({ target, status }) => [target, status]));
    const transitions = seen ? differences(seen, statuses) : 0;
    seen = statuses;

    const atOnce = confirmed.length === 0 || cause === 'policy' || cause === 'asked';
    const before = worst(confirmed.map(({ status }) => status));
    const nowMs = performance.now();
    const confirmAfterMs = atOnce ? 0 : policy.confirmAfterSeconds * 1000;
    const outcome = confirm({ confirmed, pending }, findings, {
      now: result.startedAt,
      nowMs,
      confirmAfterMs,
    });
    ({ confirmed, pending } = outcome);
    const status = worst(confirmed.map((finding) => finding.status));
    const lastRun = result.startedAt.toISOString();
    if (since === undefined || status !== before) since = lastRun;
    const { durationSeconds } = result;
    report = { title: check.title, status, since, lastRun, durationSeconds, findings: confirmed };
    if (pending.size > 0) {
      const dueMs = Math.min(...pending.values()) - nowMs;
      confirming = setTimeout(() => void watch.run(policy, 'confirm'), dueMs);
    }
    onRan({ result: { ...result, findings }, cause, transitions, changes: outcome.changes });
  }

  const watch: Watch = {
    check,
    report: () => report,
    run(policy, cause) {
      if (running && cause !== 'policy') return running.done;
      watch.stop();
      const controller = new AbortController();
      // A run that was stopped reports nothing: its successor does, or the agent is stopping.
      const done = runOnce(policy, cause, controller.signal)
        .catch((error: unknown) => {
          if (!controller.signal.aborted) throw error;
          // Its callers wait for the run that has replaced it.
          if (running?.controller !== controller) return running?.done;
        })
        .finally(() => {
          if (running?.controller === controller) running = undefined;
        });
      running = { done, controller };
      return done;
    },
    stop() {
      clearTimeout(confirming);
      running?.controller.abort();
    },
  };
  return watch;
}

async function examine(check: Check, policy: Policy, host: Host, signal: AbortSignal): Promise<CheckResult> {
  const params = policy.checks[check.id];
  if (params?.enabled) return runCheck(check, params, host, policy.timeoutSeconds, signal);
  return {
    id: check.id,
    startedAt: host.now(),
    durationSeconds: 0,
    findings: [
      { target: check.id, status: 'skip', reason: 'disabled', message: 'The policy switches this check off' },
    ],
  };
}

function differences(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): number {
  const targets = new Set([...before.keys(), ...after.keys()]);
  return [...targets].filter((target) => before.get(target) !== after.get(target)).length;
}

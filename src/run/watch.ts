import type { Check } from '../check.ts';
import type { Host } from '../host.ts';
import type { Policy } from '../policy/policy.ts';
import { type Change, type ConfirmedFinding, confirm, type Pending } from './confirm.ts';
import { applyExceptions } from './exceptions.ts';
import { type CheckReport, worst } from './report.ts';
import { type CheckResult, runCheck } from './runner.ts';

/** Why a check runs. What a person or a new policy asked for is told at once; the rest is confirmed first. */
export type Cause = 'schedule' | 'confirm' | 'policy' | 'asked';

/** What one run has brought. */
export interface Ran {
  readonly result: CheckResult;
  readonly cause: Cause;
  /** Statuses that looked different from the run before, confirmed or not. */
  readonly transitions: number;
  /** Statuses that are told anew. */
  readonly changes: readonly Change[];
}

/** One check under observation, from run to run. */
export interface Watch {
  readonly check: Check;
  /** What is told of it; nothing before its first run. */
  report(): CheckReport | undefined;
  /** Looks once. A run under way is joined, but for a new policy, which starts it over. */
  run(policy: Policy, cause: Cause): Promise<void>;
  /** Ends the run under way, if there is one, and the second look that is due. */
  stop(): void;
}

/** What an earlier process told of a check. */
export type Remembered = Pick<CheckReport, 'since' | 'findings'>;

export interface WatchOptions {
  readonly check: Check;
  readonly host: Host;
  readonly remembered: Remembered | undefined;
  onRan(ran: Ran): void;
}

/** A watch over one check. What is told begins with what was remembered; nothing runs before it is asked to. */
export function createWatch({ check, host, remembered, onRan }: WatchOptions): Watch {
  let told: readonly ConfirmedFinding[] = remembered?.findings ?? [];
  let since = remembered?.since;
  let pending: Pending = new Map();
  let seen: ReadonlyMap<string, string> | undefined;
  let last: { readonly at: Date; readonly seconds: number } | undefined;
  let running: { readonly done: Promise<void>; readonly controller: AbortController } | undefined;
  let secondLook: NodeJS.Timeout | undefined;

  async function look(policy: Policy, cause: Cause, signal: AbortSignal): Promise<void> {
    const result = await examine(check, policy, host, signal);
    signal.throwIfAborted();
    const findings = applyExceptions(check.id, result.findings, policy.exceptions, result.startedAt);

    const statuses = new Map(findings.map(({ target, status }) => [target, status]));
    const transitions = seen ? differences(seen, statuses) : 0;
    seen = statuses;

    const nothingTold = told.length === 0;
    const atOnce = nothingTold || cause === 'policy' || cause === 'asked';
    const before = worst(told.map(({ status }) => status));
    const nowMs = performance.now();
    const confirmAfterMs = atOnce ? 0 : policy.confirmAfterSeconds * 1000;
    const weighed = confirm({ told, pending }, findings, { now: result.startedAt, nowMs, confirmAfterMs });
    ({ told, pending } = weighed);
    if (since === undefined || worst(told.map(({ status }) => status)) !== before) {
      since = result.startedAt.toISOString();
    }
    last = { at: result.startedAt, seconds: result.durationSeconds };
    if (pending.size > 0) {
      const dueMs = Math.min(...pending.values()) - nowMs;
      secondLook = setTimeout(() => void watch.run(policy, 'confirm'), dueMs);
    }
    onRan({ result: { ...result, findings }, cause, transitions, changes: weighed.changes });
  }

  const watch: Watch = {
    check,
    report() {
      if (!last || since === undefined) return undefined;
      return {
        title: check.title,
        status: worst(told.map(({ status }) => status)),
        since,
        lastRun: last.at.toISOString(),
        durationSeconds: last.seconds,
        findings: told,
      };
    },
    run(policy, cause) {
      if (running && cause !== 'policy') return running.done;
      watch.stop();
      const controller = new AbortController();
      // A run that was stopped has nothing to tell: its successor, or the end, takes its place.
      const done = look(policy, cause, controller.signal)
        .catch((error: unknown) => {
          if (!controller.signal.aborted) throw error;
          // Whoever waits for it waits for the run that has taken its place.
          if (running?.controller !== controller) return running?.done;
        })
        .finally(() => {
          if (running?.controller === controller) running = undefined;
        });
      running = { done, controller };
      return done;
    },
    stop() {
      clearTimeout(secondLook);
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
      { target: check.id, status: 'skip', reason: 'disabled', message: 'Switched off by the policy' },
    ],
  };
}

function differences(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): number {
  const targets = new Set([...before.keys(), ...after.keys()]);
  return [...targets].filter((target) => before.get(target) !== after.get(target)).length;
}

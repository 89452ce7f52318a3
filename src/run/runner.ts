import {
  CannotTell,
  type Check,
  commonReasons,
  type Reading,
  type Status,
  type Subject,
  type Wrong,
} from '../check.ts';
import { isTimeout, within } from '../deadline.ts';
import { describeError } from '../errors.ts';
import type { Host } from '../host.ts';

/** The outcome of one subject in one run. */
export interface Finding {
  readonly target: string;
  readonly status: Status;
  /** Absent on `pass`. */
  readonly reason?: string;
  readonly message: string;
  readonly remedy?: string;
  /** See `Wrong.controls`. */
  readonly controls?: readonly string[];
  readonly readings?: readonly Reading[];
  /** What is wrong with the target, but excepted by the policy. */
  readonly exceptedReasons?: readonly string[];
  /** What else is wrong; removed once exceptions have been applied. */
  readonly also?: readonly Wrong[];
}

/** One run of one check. */
export interface CheckResult {
  readonly id: string;
  readonly startedAt: Date;
  readonly durationSeconds: number;
  /** In the order of the check's subjects; never empty. */
  readonly findings: readonly Finding[];
}

/** A check's part of the policy, as its schema parsed it. */
type Params = Readonly<Record<string, unknown>>;

/** Few enough that 500 TLS handshakes do not exhaust the processor and memory of a small machine. */
const subjectsAtOnce = 32;
/** A subject that takes longer is waiting. Another starts meanwhile, so hanging subjects do not block others. */
const placeHeldMs = 500;

/** Reasons that mean there was nothing to examine, or no access to it. */
const skipReasons: readonly string[] = ['no_access', 'not_applicable', 'disabled', 'excepted'];

/**
 * Runs one check. Every subject has `timeoutSeconds`; one that throws, hangs or ignores its signal costs one finding.
 * Rejects only when `signal` fires.
 */
export async function runCheck(
  check: Check,
  params: Params,
  host: Host,
  timeoutSeconds: number,
  signal: AbortSignal,
): Promise<CheckResult> {
  const startedAt = host.now();
  const started = performance.now();
  const findings = await examineAll(check, params, host, timeoutSeconds, signal);
  return { id: check.id, startedAt, durationSeconds: (performance.now() - started) / 1000, findings };
}

async function examineAll(
  check: Check,
  params: Params,
  host: Host,
  timeoutSeconds: number,
  stopping: AbortSignal,
): Promise<Finding[]> {
  let subjects: readonly Subject[];
  try {
    subjects = await within(timeoutSeconds, stopping, (signal) => check.subjects(params, host, signal));
  } catch (error) {
    stopping.throwIfAborted();
    return [failureOf(error, check, check.id)];
  }
  if (subjects.length === 0) {
    const nothing = new CannotTell('not_applicable', 'There is nothing on this device for this check');
    return [failureOf(nothing, check, check.id)];
  }
  return mapAtMost(subjectsAtOnce, subjects, async (subject) => {
    try {
      const verdict = await within(timeoutSeconds, stopping, (signal) =>
        check.examine(subject, params, host, signal),
      );
      const readings = verdict.readings?.filter(({ value }) => Number.isFinite(value)) ?? [];
      return { target: subject.target, ...verdict, readings };
    } catch (error) {
      stopping.throwIfAborted();
      return failureOf(error, check, subject.target);
    }
  });
}

/** The finding for a failed examination. A reason that the check does not declare is a bug in the check. */
function failureOf(error: unknown, check: Check, target: string): Finding {
  const message = describeError(error);
  if (isTimeout(error)) return { target, status: 'unknown', reason: 'timed_out', message };
  if (!(error instanceof CannotTell)) return { target, status: 'unknown', reason: 'internal_error', message };
  const known =
    check.reasons.includes(error.reason) || commonReasons.some((common) => common === error.reason);
  return {
    target,
    status: skipReasons.includes(error.reason) ? 'skip' : 'unknown',
    reason: known ? error.reason : 'internal_error',
    message,
    ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
  };
}

/** Maps with at most `limit` at work at once, not counting those that wait. Results are in the order of the items. */
async function mapAtMost<T, R>(
  limit: number,
  items: readonly T[],
  map: (item: T) => Promise<R>,
): Promise<R[]> {
  const queue = items.entries();
  const all: Promise<[number, R]>[] = [];
  const work = async () => {
    for (const [i, item] of queue) {
      const done = map(item).then((result): [number, R] => [i, result]);
      all.push(done);
      await settledOr(placeHeldMs, done);
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work));
  return (await Promise.all(all)).sort(([a], [b]) => a - b).map(([, result]) => result);
}

/** Resolves when the work is done or the time has passed; rejects when the work does. */
function settledOr(ms: number, work: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    work.then(() => resolve(), reject).finally(() => clearTimeout(timer));
  });
}

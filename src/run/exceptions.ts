import type { Exception } from '../policy/policy.ts';
import type { Finding } from './runner.ts';

/**
 * Turns findings that the policy excepts into `skip`, with the original message and why it is accepted. Where something
 * else is wrong with the same target, that is reported instead. Pure.
 */
export function applyExceptions(
  check: string,
  findings: readonly Finding[],
  exceptions: readonly Exception[],
  now: Date,
): readonly Finding[] {
  return findings.map(({ also = [], ...finding }) => {
    const { controls: _, ...rest } = finding;
    const { target, status, reason, message } = finding;
    if (status !== 'warn' && status !== 'fail') return finding;
    const exceptionFor = (why: string | undefined) =>
      exceptions.find((each) => covers(each, check, target, why, now));
    const reasons = [reason, ...also.map((each) => each.reason)].filter((each) => each !== undefined);
    const exceptedReasons = reasons.filter((each) => exceptionFor(each));
    const exception = exceptionFor(reason);
    if (!exception) return exceptedReasons.length > 0 ? { ...finding, exceptedReasons } : finding;
    const others = also.filter((each) => !exceptionFor(each.reason));
    const other = others.find((each) => each.status === 'fail') ?? others[0];
    if (other) return { ...rest, ...other, exceptedReasons };
    const until = exception.until ? `until ${exception.until}` : 'permanently';
    return {
      target,
      status: 'skip',
      reason: 'excepted',
      exceptedReasons,
      message: `Excepted ${until} because ${exception.because}. Without the exception: ${message}`,
      readings: finding.readings ?? [],
    };
  });
}

/** How many exceptions match a finding or may do so, have ended, or have matched nothing in a run of their check. */
export interface ExceptionCounts {
  readonly active: number;
  readonly over: number;
  readonly unused: number;
}

/** Counts exceptions by the findings of a report, by check id. */
export function countExceptions(
  exceptions: readonly Exception[],
  checks: Readonly<
    Record<string, { readonly findings: readonly Pick<Finding, 'target' | 'exceptedReasons'>[] }>
  >,
  now: Date,
): ExceptionCounts {
  const stateOf = (exception: Exception): keyof ExceptionCounts => {
    if (isOver(exception, now)) return 'over';
    const check = checks[exception.check];
    const matches = check?.findings.some(
      ({ target, exceptedReasons = [] }) =>
        target === exception.target && exceptedReasons.some((reason) => isFor(exception, reason)),
    );
    // Unknown until the check has run.
    return matches || !check ? 'active' : 'unused';
  };
  const states = exceptions.map(stateOf);
  const count = (state: keyof ExceptionCounts) => states.filter((each) => each === state).length;
  return { active: count('active'), over: count('over'), unused: count('unused') };
}

const covers = (
  exception: Exception,
  check: string,
  target: string,
  reason: string | undefined,
  now: Date,
): boolean =>
  exception.check === check &&
  exception.target === target &&
  isFor(exception, reason) &&
  !isOver(exception, now);

const isFor = (exception: Exception, reason: string | undefined): boolean =>
  exception.reason === undefined || exception.reason === reason;

/** Whether the last day on which an exception applies, in UTC, has passed. */
export const isOver = ({ until }: Exception, now: Date): boolean =>
  until !== undefined && now.getTime() >= Date.parse(`${until}T24:00:00Z`);

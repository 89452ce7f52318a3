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
    const { target, status, reason, message } = finding;
    if (status !== 'warn' && status !== 'fail') return finding;
    const exceptionFor = (why: string | undefined) =>
      exceptions.find((each) => covers(each, check, target, why, now));
    const exception = exceptionFor(reason);
    if (!exception) return finding;
    const others = also.filter((each) => !exceptionFor(each.reason));
    const other = others.find((each) => each.status === 'fail') ?? others[0];
    if (other) return { ...finding, ...other };
    const until = exception.until ? `until ${exception.until}` : 'permanently';
    return {
      target,
      status: 'skip',
      reason: 'excepted',
      message: `Excepted ${until} because ${exception.because}. Without the exception: ${message}`,
      readings: finding.readings ?? [],
    };
  });
}

/** How many exceptions apply to a finding or may do so, have ended, or have matched nothing in a run of their check. */
export interface ExceptionCounts {
  readonly active: number;
  readonly over: number;
  readonly unused: number;
}

/** Counts exceptions by the findings of a report, by check id. */
export function countExceptions(
  exceptions: readonly Exception[],
  checks: Readonly<Record<string, { readonly findings: readonly Pick<Finding, 'target' | 'reason'>[] }>>,
  now: Date,
): ExceptionCounts {
  const stateOf = (exception: Exception): keyof ExceptionCounts => {
    if (isOver(exception, now)) return 'over';
    const check = checks[exception.check];
    const applies = check?.findings.some(
      ({ target, reason }) => target === exception.target && reason === 'excepted',
    );
    // Unknown until the check has run.
    return applies || !check ? 'active' : 'unused';
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
  (exception.reason === undefined || exception.reason === reason) &&
  !isOver(exception, now);

/** Whether the last day on which an exception applies, in UTC, has passed. */
export const isOver = ({ until }: Exception, now: Date): boolean =>
  until !== undefined && now.getTime() >= Date.parse(`${until}T24:00:00Z`);

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
  // `until` names the last day on which the exception applies.
  (exception.until === undefined || now.getTime() < Date.parse(`${exception.until}T24:00:00Z`));

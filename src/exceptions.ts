import type { Exception } from './policy.ts';
import type { Finding } from './runner.ts';

const dayMs = 86_400_000;

/** Tells findings that the policy excepts as skipped, with what they were and why that is accepted. Pure. */
export function applyExceptions(
  check: string,
  findings: readonly Finding[],
  exceptions: readonly Exception[],
  now: Date,
): readonly Finding[] {
  return findings.map((finding) => {
    if (finding.status !== 'warn' && finding.status !== 'fail') return finding;
    const exception = exceptions.find((each) => covers(each, check, finding, now));
    if (!exception) return finding;
    const until = exception.until ? `until ${exception.until}` : 'for good';
    return {
      target: finding.target,
      status: 'skip',
      reason: 'excepted',
      message: `Excepted ${until}, because ${exception.because}; it is: ${finding.message}`,
      readings: finding.readings ?? [],
    };
  });
}

const covers = (exception: Exception, check: string, { target, reason }: Finding, now: Date): boolean =>
  exception.check === check &&
  exception.target === target &&
  (exception.reason === undefined || exception.reason === reason) &&
  // `until` names the last day, so it holds to that day's end.
  (exception.until === undefined || now.getTime() < Date.parse(exception.until) + dayMs);

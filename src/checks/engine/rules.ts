import * as z from 'zod';
import type { Wrong } from '../../check.ts';

/** What becomes of a rule that is broken. */
const severities = ['off', 'warn', 'fail'] as const;
type Severity = (typeof severities)[number];

/** Something that may be wrong with a subject. */
export interface Rule<Reason extends string, Subject> {
  readonly reason: Reason;
  /** Unless the policy sets another. */
  readonly severity: Severity;
  readonly controls: readonly string[];
  /** What is wrong, in one clause, and what to do; undefined where nothing is, or where the rule does not apply. */
  judge(subject: Subject): { readonly clause: string; readonly remedy: string } | undefined;
}

/** A rule that is broken. */
export interface Broken<Reason extends string> extends Omit<Wrong<Reason>, 'message' | 'reason'> {
  readonly reason: Reason;
  readonly clause: string;
}

/** The parameter `rules`: a severity for each reason, those of the table unless given. */
export const rulesSchema = <Reason extends string>(rules: readonly Rule<Reason, never>[]) =>
  z
    .strictObject(
      Object.fromEntries(
        rules.map(({ reason, severity, controls }) => [
          reason,
          z
            .enum(severities)
            .default(severity)
            .describe(`off, warn or fail${controls.length > 0 ? ` (${controls.join(', ')})` : ''}`),
        ]),
      ) as Record<Reason, z.ZodDefault<z.ZodEnum<{ off: 'off'; warn: 'warn'; fail: 'fail' }>>>,
    )
    .prefault({} as never)
    .describe('The status of each reason: off, warn or fail.');

/** What a subject breaks, failures before warnings, otherwise in the order of the table. */
export function broken<Reason extends string, Subject>(
  rules: readonly Rule<Reason, Subject>[],
  severityOf: Readonly<Record<Reason, Severity>>,
  subject: Subject,
): readonly Broken<Reason>[] {
  const found = rules.flatMap(({ reason, controls, judge }): Broken<Reason>[] => {
    const status: Severity = severityOf[reason];
    const problem = status === 'off' ? undefined : judge(subject);
    if (!problem || status === 'off') return [];
    return [{ status, reason, ...problem, ...(controls.length > 0 && { controls }) }];
  });
  return [
    ...found.filter(({ status }) => status === 'fail'),
    ...found.filter(({ status }) => status === 'warn'),
  ];
}

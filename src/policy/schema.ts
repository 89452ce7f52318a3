import * as z from 'zod';
import type { Check } from '../check.ts';
import { cronProblem, maxCronLength } from './cron.ts';
import type { CheckPolicy } from './policy.ts';

const cronExpression = z
  .string()
  .max(maxCronLength, { abort: true })
  .superRefine((expression, context) => {
    const why = cronProblem(expression);
    if (why) context.addIssue({ code: 'custom', message: `not a cron expression (${why})` });
  });

const everyCheckHas = {
  enabled: z.boolean().default(true).describe('A check that is switched off reports skip.'),
  schedule: cronExpression
    .optional()
    .meta({ description: "This check's own schedule, in place of the policy's.", examples: ['0 4 * * *'] }),
};

/** The schema of a whole policy for a list of checks. It refuses unknown keys at every level. */
export function policySchema(checks: readonly Check[]) {
  const ids = checks.map(({ id }) => id);
  return z.strictObject({
    note: z
      .string()
      .max(200)
      .optional()
      .meta({ description: 'A name for this policy, shown on the page.', examples: ['Line 3 gateways'] }),
    schedule: cronExpression
      .default('*/5 * * * *')
      .describe(
        'When every check runs: cron, UTC. Checks that use the network run every 30 s at most, whatever it says.',
      ),
    jitterSeconds: z
      .number()
      .min(0)
      .max(3600)
      .default(30)
      .describe('Spreads the runs of a fleet over this time.'),
    timeoutSeconds: z
      .number()
      .min(1)
      .max(300)
      .default(20)
      .describe('Time limit for one subject of one check.'),
    confirmAfterSeconds: z
      .number()
      .min(0)
      .max(600)
      .default(15)
      .describe(
        'A changed status is reported once a second run confirms it after this long; 0 reports at once.',
      ),
    report: z
      .strictObject({
        minIntervalSeconds: z
          .number()
          .min(1)
          .max(86_400)
          .default(60)
          .describe('Least time between two twin patches.'),
        heartbeatMinutes: z
          .number()
          .min(1)
          .max(10_080)
          .default(60)
          .describe('Time between two heartbeats in the twin.'),
        maxFindings: z
          .number()
          .int()
          .min(1)
          .max(100)
          .default(20)
          .describe('Most findings in the twin, worst first.'),
      })
      .prefault({})
      .describe('What is sent to the twin, and how often.'),
    exceptions: z
      .array(exceptionSchema(ids))
      .max(100)
      .default([])
      .meta({
        description: 'Findings that you accept, why, and the last day (UTC) on which you do.',
        examples: checks.slice(0, 1).map(exampleExceptions),
      }),
    checks: z
      .strictObject(Object.fromEntries(checks.map((check) => [check.id, checkSchema(check)])))
      .prefault({})
      .describe('The checks and their parameters.'),
  });
}

const exampleExceptions = ({ id, reasons }: Check) => [
  {
    check: id,
    target: 'as the report names it',
    reason: reasons[0],
    because: 'why you accept it',
    until: '2027-03-31',
  },
];

const exceptionSchema = (ids: readonly string[]) =>
  z.strictObject({
    check: z.enum(ids),
    target: z.string().min(1).max(2048),
    // The reasons that the check can give are compared apart, so that a wrong one does not hide other problems.
    reason: z.string().optional(),
    because: z.string().min(1).max(500),
    until: z.iso.date().optional(),
  });

// safeExtend keeps the refinements of a check's own schema.
/** The schema of one check's parameters, with those that every check has. */
export const checkSchema = ({ params, title }: Check) =>
  params.safeExtend(everyCheckHas).prefault({}).describe(title) as unknown as z.ZodType<CheckPolicy>;

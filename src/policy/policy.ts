import { z } from 'zod';
import type { Check } from '../check.ts';
import { withoutCredentials } from '../endpoint.ts';
import { cronProblem } from './cron.ts';
import { didYouMean } from './nearest.ts';

/** An accepted policy, complete with every default. */
export interface Policy {
  /** A name for this policy, shown on the page. */
  readonly note?: string | undefined;
  /** Cron, UTC. */
  readonly schedule: string;
  readonly jitterSeconds: number;
  readonly timeoutSeconds: number;
  readonly confirmAfterSeconds: number;
  readonly report: {
    readonly minIntervalSeconds: number;
    readonly heartbeatMinutes: number;
    readonly maxFindings: number;
  };
  readonly exceptions: readonly Exception[];
  readonly checks: Readonly<Record<string, CheckPolicy>>;
}

/** A check's own parameters, with those that every check has. */
export interface CheckPolicy {
  readonly enabled: boolean;
  readonly schedule?: string | undefined;
  readonly [parameter: string]: unknown;
}

/** A finding that the operator accepts. */
export interface Exception {
  readonly check: string;
  readonly target: string;
  /** Applies to this reason only; absent, to any. */
  readonly reason?: string | undefined;
  readonly because: string;
  /** The last day on which it applies, `2027-03-31`, UTC. */
  readonly until?: string | undefined;
}

/** The outcome of reading a document. */
export type PolicyOutcome =
  | { readonly accepted: true; readonly policy: Policy }
  /** Each problem names its path, and the nearest known key for a misspelt one. */
  | { readonly accepted: false; readonly problems: readonly string[] };

const cronExpression = z.string().superRefine((expression, context) => {
  const why = cronProblem(expression);
  if (why) context.addIssue({ code: 'custom', message: `not a cron expression (${why})` });
});

const everyCheckHas = {
  enabled: z.boolean().default(true).describe('A check that is switched off reports skip.'),
  schedule: cronExpression.optional().describe("This check's own schedule, in place of the policy's."),
};

/** The schema of a whole policy for a list of checks. It refuses unknown keys at every level. */
export function policySchema(checks: readonly Check[]) {
  const ids = checks.map(({ id }) => id);
  return z.strictObject({
    note: z.string().max(200).optional().describe('A name for this policy, shown on the page.'),
    schedule: cronExpression.default('*/5 * * * *').describe('When every check runs: cron, UTC.'),
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
      .prefault({}),
    exceptions: z
      .array(
        z.strictObject({
          check: z.enum(ids),
          target: z.string().min(1).max(1024),
          reason: z.string().min(1).max(100).optional(),
          because: z.string().min(1).max(500),
          until: z.iso.date().optional(),
        }),
      )
      .max(100)
      .default([])
      .describe('Findings that you accept, and until when.'),
    checks: z
      .strictObject(Object.fromEntries(checks.map((check) => [check.id, checkSchema(check)])))
      .prefault({}),
  });
}

// safeExtend keeps the refinements of a check's own schema.
const checkSchema = ({ params, title }: Check) =>
  params.safeExtend(everyCheckHas).prefault({}).describe(title) as unknown as z.ZodType<CheckPolicy>;

/** Reads a policy document. It is accepted as a whole or not at all. */
export function readPolicy(document: unknown, checks: readonly Check[]): PolicyOutcome {
  const schema = policySchema(checks);
  const parsed = schema.safeParse(document, { reportInput: true });
  if (parsed.success) return { accepted: true, policy: parsed.data };
  const known = z.toJSONSchema(schema, { io: 'input' });
  return { accepted: false, problems: parsed.error.issues.flatMap((issue) => problems(issue, known)) };
}

function problems(issue: z.core.$ZodIssue, known: unknown): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const path = pathText([...issue.path, key]);
      return `${path}: unknown key${didYouMean(key, keysAt(known, issue.path))}`;
    });
  }
  const { message, input } = issue;
  const value = input === undefined || typeof input === 'object' ? '' : quote(input);
  const text = value === '' || message.includes(value) ? message : `${message} (is ${value})`;
  return [`${pathText(issue.path)}: ${text}`];
}

/** The keys that a JSON Schema allows at a path. */
function keysAt(schema: unknown, path: readonly PropertyKey[]): string[] {
  const [step, ...rest] = path;
  const { properties, items } = (schema ?? {}) as { properties?: Record<string, unknown>; items?: unknown };
  if (step === undefined) return Object.keys(properties ?? {});
  return keysAt(typeof step === 'number' ? items : properties?.[String(step)], rest);
}

const pathText = (path: readonly PropertyKey[]): string =>
  path.length === 0
    ? 'policy'
    : path
        .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
        .join('')
        .replace(/^\./, '');

/** A value for a message: bounded, and without the password of a URL, however it is written. */
function quote(value: unknown): string {
  const text = JSON.stringify(typeof value === 'string' ? withoutCredentials(value) : value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

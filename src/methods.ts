import { z } from 'zod';
import type { Agent } from './agent.ts';
import type { Check } from './check.ts';
import { readPolicy } from './policy.ts';

interface Answer {
  readonly status: number;
  readonly payload: unknown;
}

/** The module's direct methods. A bad payload is answered with 400 and `{ "error": … }`. */
export function createMethods(
  agent: () => Agent,
  checks: readonly Check[],
): Record<'runChecks' | 'getReport' | 'validatePolicy', (payload: unknown) => Promise<Answer>> {
  const ids = checks.map(({ id }) => id);
  const run = z.strictObject({ checks: z.array(z.enum(ids)).min(1).optional() });
  const nothing = z.strictObject({});
  const validate = z.strictObject({ policy: z.unknown() });
  return {
    runChecks: answering(run, ({ checks: some }) => agent().runChecks(some)),
    getReport: answering(nothing, () => agent().report()),
    validatePolicy: answering(validate, ({ policy }) => readPolicy(policy, checks)),
  };
}

const answering =
  <T>(schema: z.ZodType<T>, work: (payload: T) => unknown) =>
  async (payload: unknown): Promise<Answer> => {
    const parsed = schema.safeParse(payload ?? {});
    if (parsed.success) return { status: 200, payload: await work(parsed.data) };
    const problems = parsed.error.issues.map(({ path, message }) =>
      [path.join('.'), message].filter(Boolean).join(': '),
    );
    return { status: 400, payload: { error: problems.join('; ') } };
  };

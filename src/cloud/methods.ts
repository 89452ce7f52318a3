import * as z from 'zod';
import type { Check } from '../check.ts';
import type { MethodAnswer } from '../hub/session.ts';
import { readPolicy } from '../policy/policy.ts';
import { schemaProblems } from '../policy/problems.ts';
import type { Agent } from '../run/agent.ts';
import { type Report, worstFirst } from '../run/report.ts';

// IoT Hub accepts 128 KB, the envelope included.
const maxReportBytes = 118 * 1024;

/** The module's direct methods. An invalid payload gets status 400 and `{ "error": … }`. */
export function createMethods(
  agent: Agent,
  checks: readonly Check[],
): Record<'runChecks' | 'getReport' | 'validatePolicy', (payload: unknown) => Promise<MethodAnswer>> {
  const ids = checks.map(({ id }) => id);
  const runSchema = z.strictObject({ checks: z.array(z.enum(ids)).min(1).optional() });
  const emptySchema = z.strictObject({});
  const policySchema = z.strictObject({ policy: z.unknown() });
  return {
    runChecks: handler(runSchema, async ({ checks: some }) => shorten(await agent.runChecks(some))),
    getReport: handler(emptySchema, () => shorten(agent.report())),
    validatePolicy: handler(policySchema, ({ policy }) => readPolicy(policy, checks)),
  };
}

const handler =
  <T>(schema: z.ZodType<T>, work: (payload: T) => unknown) =>
  async (payload: unknown): Promise<MethodAnswer> => {
    const given = { payload: payload ?? {} };
    // Inside an object, so that problems name the payload.
    const envelope = z.strictObject({ payload: schema });
    const parsed = envelope.safeParse(given);
    if (parsed.success) return { status: 200, payload: await work(parsed.data.payload) };
    return { status: 400, payload: { error: schemaProblems(envelope, given).join('; ') } };
  };

/** A report, with the number of findings that were left out. */
type ShortReport = Report & { readonly summary: { readonly findingsLeftOut?: number } };

/** A report that fits into a response: if not all findings fit, the worst ones. */
function shorten(report: Report): ShortReport {
  const all = Object.entries(report.checks).flatMap(([id, { findings }]) =>
    findings.map((finding) => ({ id, status: finding.status, finding })),
  );
  const withOnly = (kept: ReadonlySet<unknown>): ShortReport => ({
    ...report,
    summary: { ...report.summary, findingsLeftOut: all.length - kept.size },
    checks: Object.fromEntries(
      Object.entries(report.checks).map(([id, check]) => {
        return [id, { ...check, findings: check.findings.filter((finding) => kept.has(finding)) }] as const;
      }),
    ),
  });
  if (bytes(report) <= maxReportBytes) return report;
  const kept = new Set<unknown>();
  let room = maxReportBytes - bytes(withOnly(kept));
  for (const { finding } of worstFirst(all)) {
    const size = bytes(finding) + 1;
    if (size > room) continue;
    room -= size;
    kept.add(finding);
  }
  return withOnly(kept);
}

const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

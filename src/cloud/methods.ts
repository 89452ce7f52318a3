import { z } from 'zod';
import type { Check } from '../check.ts';
import { readPolicy } from '../policy/policy.ts';
import type { Agent } from '../run/agent.ts';
import { type Report, worstFirst } from '../run/report.ts';

interface Answer {
  readonly status: number;
  readonly payload: unknown;
}

// IoT Hub takes 128 KB, the envelope included.
const largestReportBytes = 118 * 1024;

/** The module's direct methods. A bad payload is answered with 400 and `{ "error": … }`. */
export function createMethods(
  agent: Agent,
  checks: readonly Check[],
): Record<'runChecks' | 'getReport' | 'validatePolicy', (payload: unknown) => Promise<Answer>> {
  const ids = checks.map(({ id }) => id);
  const run = z.strictObject({ checks: z.array(z.enum(ids)).min(1).optional() });
  const nothing = z.strictObject({});
  const validate = z.strictObject({ policy: z.unknown() });
  return {
    runChecks: answering(run, async ({ checks: some }) => shortened(await agent.runChecks(some))),
    getReport: answering(nothing, () => shortened(agent.report())),
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

type ShortReport = Report & { readonly summary: { readonly findingsLeftOut?: number } };

/** A report that fits into an answer: where not all findings do, the worst, and how many were left out. */
function shortened(report: Report): ShortReport {
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
  if (bytes(report) <= largestReportBytes) return report;
  const kept = new Set<unknown>();
  let room = largestReportBytes - bytes(withOnly(kept));
  for (const { finding } of worstFirst(all)) {
    const size = bytes(finding) + 1;
    if (size > room) continue;
    room -= size;
    kept.add(finding);
  }
  return withOnly(kept);
}

const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

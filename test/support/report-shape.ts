import { z } from 'zod';
import { statuses } from '../../src/check.ts';

const moment = z.iso.datetime();
const status = z.enum(statuses);
const count = z.number().int().min(0);

const finding = z
  .strictObject({
    target: z.string().min(1),
    status,
    reason: z.string().optional(),
    message: z.string().min(1),
    remedy: z.string().optional(),
    controls: z.array(z.string()).min(1).optional(),
    since: moment,
    exceptedReasons: z.array(z.string()).min(1).optional(),
    readings: z
      .array(
        z.strictObject({
          gauge: z.string(),
          labels: z.record(z.string(), z.string()).optional(),
          value: z.number(),
        }),
      )
      .optional(),
  })
  .refine(({ status, reason }) => status === 'pass' || reason !== undefined, 'no reason')
  .refine(({ status, remedy }) => !['warn', 'fail'].includes(status) || remedy !== undefined, 'no remedy');

/** The public shape of the report: at `/api/report`, from `check --json` and in method answers. */
export const reportShape = z.strictObject({
  generatedAt: moment,
  agent: z.strictObject({
    version: z.string(),
    startedAt: moment,
    mode: z.enum(['edge', 'standalone']),
    hub: z.enum(['connected', 'connecting', 'offline', 'none']),
    hubSince: moment.optional(),
    hubProblem: z.string().optional(),
  }),
  policy: z.strictObject({
    source: z.enum(['twin', 'file', 'saved', 'default']),
    version: count,
    accepted: z.boolean(),
    problems: z.array(z.string()),
    note: z.string().optional(),
    exceptions: z.strictObject({ active: count, over: count, unused: count }),
  }),
  summary: z.strictObject({
    status,
    pass: count,
    warn: count,
    fail: count,
    unknown: count,
    skip: count,
    problems: count,
    pending: z.array(z.string()),
  }),
  checks: z.record(
    z.string(),
    z.strictObject({
      title: z.string(),
      status,
      since: moment,
      lastRun: moment,
      durationSeconds: z.number().min(0),
      findings: z.array(finding).min(1),
    }),
  ),
});

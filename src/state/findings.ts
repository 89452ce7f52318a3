import * as z from 'zod';
import { statuses } from '../check.ts';
import type { Report } from '../run/report.ts';
import type { Remembered } from '../run/watch.ts';
import type { StateFile } from './state-file.ts';

const name = 'findings';

const finding = z.object({
  target: z.string(),
  status: z.enum(statuses),
  reason: z.string().optional(),
  message: z.string(),
  remedy: z.string().optional(),
  controls: z.array(z.string()).optional(),
  since: z.iso.datetime(),
});
const schema = z.record(z.string(), z.object({ since: z.iso.datetime(), findings: z.array(finding) }));

/** What an earlier process reported, by check id; empty where the saved value is malformed. */
export function loadFindings(state: Pick<StateFile, 'get'>): Readonly<Record<string, Remembered>> {
  const parsed = schema.safeParse(state.get(name) ?? {});
  return parsed.success ? (parsed.data as Record<string, Remembered>) : {};
}

/** Saves the findings of a report for the next process, without readings, which will be old by then. */
export function saveFindings(state: Pick<StateFile, 'set'>, { checks }: Report): void {
  const kept = Object.entries(checks).map(([id, { since, findings }]) => {
    return [id, { since, findings: findings.map(({ readings: _, ...finding }) => finding) }] as const;
  });
  state.set(name, Object.fromEntries(kept));
}

import { z } from 'zod';
import { statuses } from './check.ts';
import type { Memory } from './memory.ts';
import type { Report } from './report.ts';
import type { Remembered } from './watch.ts';

const name = 'findings';

/** Under which earlier sizes of the disk are kept. */
export const historyName = 'history';

const finding = z.object({
  target: z.string(),
  status: z.enum(statuses),
  reason: z.string().optional(),
  message: z.string(),
  remedy: z.string().optional(),
  since: z.iso.datetime(),
});
const schema = z.record(z.string(), z.object({ since: z.iso.datetime(), findings: z.array(finding) }));

/** What an earlier process told, by check id; nothing of a file that is not what it should be. */
export function recall(memory: Pick<Memory, 'get'>): Readonly<Record<string, Remembered>> {
  const parsed = schema.safeParse(memory.get(name) ?? {});
  return parsed.success ? (parsed.data as Record<string, Remembered>) : {};
}

/** Keeps what is told for the next process. Readings are left out: they will be old by then. */
export function keepForLater(memory: Pick<Memory, 'set'>, { checks }: Report): void {
  const kept = Object.entries(checks).map(([id, { since, findings }]) => {
    return [id, { since, findings: findings.map(({ readings: _, ...told }) => told) }] as const;
  });
  memory.set(name, Object.fromEntries(kept));
}

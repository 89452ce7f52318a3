import { createHash } from 'node:crypto';
import * as z from 'zod';
import { readAgentLabels } from './agent-labels.ts';
import type { EdgeModule } from './types.ts';

/** More modules than this in one listing are an error. */
export const maxModules = 1000;

const states = ['running', 'stopped', 'failed', 'dead'] as const;

// Names are those of containers and of modules in IoT Hub.
const name = z.string().regex(/^[\x21-\x7e]{1,128}$/);
const image = z.string().min(1).max(1024);
const time = z.iso
  .datetime({ offset: true })
  .max(64)
  .transform((text) => new Date(text));
const exitStatus = z.object({ exitTime: time, statusCode: z.string().regex(/^-?\d{1,10}$/) });
const labels = z.record(z.string(), z.string());

const optional = <T extends z.ZodType>(shape: T) => shape.nullish().catch(undefined);

/** A module without a name or an image is malformed; whatever else is, is left out. */
const shape = z.object({
  name,
  config: z.object({
    settings: z.object({
      image,
      imageHash: optional(z.string().max(256)),
      createOptions: optional(z.object({ Labels: optional(labels) })),
    }),
  }),
  status: optional(
    z.object({
      startTime: optional(time),
      exitStatus: optional(exitStatus),
      runtimeStatus: optional(z.object({ status: optional(z.string()) })),
    }),
  ),
});

/**
 * One element of edged's list (edgelet-http-workload, module/list.rs); undefined where it is malformed. It holds the labels
 * of the container too, and edgeAgent's contain its environment with secrets, so only the fields of {@link EdgeModule} are
 * kept.
 */
export function parseListedModule(listed: unknown): EdgeModule | undefined {
  const { data } = shape.safeParse(listed);
  if (!data) return undefined;
  const { settings } = data.config;
  const { startTime, exitStatus: exit, runtimeStatus } = data.status ?? {};
  const given = settings.createOptions?.Labels ?? {};
  return {
    name: data.name,
    image: settings.image,
    imageHash: settings.imageHash ?? undefined,
    labelsHash: hashOf(given),
    state: states.find((state) => state === runtimeStatus?.status) ?? 'unknown',
    startedAt: startTime ?? undefined,
    exit: exit ? { at: exit.exitTime, code: Number(exit.statusCode) } : undefined,
    ...(data.name === 'edgeAgent' ? readAgentLabels(given) : {}),
  };
}

const hashOf = (given: Readonly<Record<string, string>>): string =>
  createHash('sha256')
    .update(JSON.stringify(Object.entries(given).sort()))
    .digest('base64url')
    .slice(0, 16);

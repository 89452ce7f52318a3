import * as z from 'zod';
import type { Memory } from '../../../host.ts';
import { countersSchema } from './counters.ts';
import { queueHistorySchema } from './queue-history.ts';

/** What is kept from look to look, each below its own name so that none outgrows the limit of a value. */
const shapes = {
  /** edgeHub as it was last seen. */
  hub: z.object({
    /** Of its process. */
    instance: z.string().optional(),
    /** When that was seen first, in seconds since 1970, like the others. */
    seenAt: z.number(),
    away: z.object({ since: z.number(), last: z.number() }).optional(),
    alertsDroppedAt: z.number().optional(),
  }),
  drops: countersSchema,
  refused: countersSchema,
  queues: queueHistorySchema,
  /** What was reported last, for the time in which a source does not answer. */
  targets: z.object({ hub: z.array(z.string()), storage: z.array(z.string()) }),
};
type Shapes = { readonly [Name in keyof typeof shapes]: z.output<(typeof shapes)[Name]> };

/** What was kept last under a name; undefined where there is nothing, or something of another version. */
export function recall<Name extends keyof Shapes>(memory: Memory, name: Name): Shapes[Name] | undefined {
  return shapes[name].safeParse(memory.recall(`messageFlow ${name}`)).data as Shapes[Name] | undefined;
}

export function keep<Name extends keyof Shapes>(memory: Memory, name: Name, value: Shapes[Name]): void {
  memory.keep(`messageFlow ${name}`, value);
}

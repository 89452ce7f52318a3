import * as z from 'zod';
import type { EdgeModule } from '../../host/edge/types.ts';

/** A start of a module that followed another, with the same image and options. */
export interface Restart {
  /** The machine's uptime in seconds when it was seen; negative for an earlier boot. */
  readonly seenAt: number;
  /** Seconds since 1970, by the clock of that moment. */
  readonly startedAt: number;
  /** Seconds between the exit and this start, or at least so many; undefined where that was not seen. */
  readonly pause?: number | undefined;
  /** With which the run before it ended; undefined where that was not seen. */
  readonly code?: number | undefined;
}

/** What is known of a module from its listings. */
export interface WatchedModule {
  /** Another one means that the module was updated. */
  readonly version: string;
  readonly state: EdgeModule['state'];
  /** Milliseconds since 1970, as listed. */
  readonly startedAt?: number | undefined;
  readonly wasRunning: boolean;
  /** The uptime since when it has not been running; undefined while it runs. */
  readonly downSince?: number | undefined;
  /** Of the last run that was seen to have ended. */
  readonly exitCode?: number | undefined;
  /** Oldest first. */
  readonly restarts: readonly Restart[];
  /** edgeAgent no longer starts it. */
  readonly gaveUp: boolean;
  /** The machine was rebooted, so its next start is not a restart. */
  readonly rebooted: boolean;
  /** In how many listings it has been missing since it was last there. */
  readonly misses: number;
  /** The uptime of that one, while it is missing. */
  readonly lastSeen?: number | undefined;
  /** Of its metrics page, since its last start. */
  readonly instance?: string | undefined;
  /** Another instance, whose start the next listing may show. */
  readonly newInstance?: string | undefined;
}

/** All modules, as of one listing. */
export interface WatchedModules {
  /** Of the listing: milliseconds since 1970. */
  readonly listedAt: number;
  /** Of the machine when it was made, in seconds. */
  readonly uptime: number;
  readonly modules: ReadonlyMap<string, WatchedModule>;
}

const maxBytes = 30 * 1024;
const maxRestarts = 100;

const optionalNumber = z
  .number()
  .nullish()
  .transform((value) => value ?? undefined);
const optionalText = z
  .string()
  .max(256)
  .nullish()
  .transform((value) => value ?? undefined);
const restart = z.tuple([z.number(), z.number(), z.number().nullable(), z.number().nullable()]).transform(
  ([seenAt, startedAt, pause, code]): Restart => ({
    seenAt,
    startedAt,
    pause: pause ?? undefined,
    code: code ?? undefined,
  }),
);
const watched = z.object({
  version: z.string(),
  state: z.enum(['running', 'stopped', 'failed', 'dead', 'unknown']),
  startedAt: optionalNumber,
  wasRunning: z.boolean().default(false),
  downSince: optionalNumber,
  exitCode: optionalNumber,
  restarts: z.array(restart).max(maxRestarts).default([]),
  gaveUp: z.boolean().default(false),
  rebooted: z.boolean().default(false),
  misses: z.number().default(0),
  lastSeen: optionalNumber,
  instance: optionalText,
  newInstance: optionalText,
});
const saved = z.object({
  listedAt: z.number(),
  uptime: z.number(),
  modules: z.record(z.string(), z.unknown()),
});

/** What {@link toSaved} returned, also in an earlier process; whatever is malformed in it is left out. */
export function fromSaved(value: unknown): WatchedModules | undefined {
  const { data } = saved.safeParse(value);
  if (!data) return undefined;
  const modules = Object.entries(data.modules).flatMap(([name, entry]) => {
    const module = watched.safeParse(entry).data;
    return module ? [[name, module] as const] : [];
  });
  return { listedAt: data.listedAt, uptime: data.uptime, modules: new Map(modules) };
}

/**
 * JSON for the host's memory, at most 30 KiB. Where that is not enough, fewer restarts of each module are kept, and then fewer
 * modules: those that run and have not restarted are left out first, some 200 of which fit.
 */
export function toSaved({ listedAt, uptime, modules }: WatchedModules): unknown {
  const ordered = [...modules].toSorted(([, a], [, b]) => importance(b) - importance(a));
  const smallest = ordered.map(([name, module]) => [name, packed(module, 5)] as const);
  const kept = [maxRestarts, 20]
    .map((count) => ordered.map(([name, module]) => [name, packed(module, count)] as const))
    .find((entries) => bytes(entries) <= maxBytes);
  return { listedAt, uptime, modules: Object.fromEntries(kept ?? fitting(smallest)) };
}

type Entry = readonly [name: string, packed: object];

function fitting(entries: readonly Entry[]): readonly Entry[] {
  let left = maxBytes;
  return entries.filter((entry) => {
    const size = bytes([entry]);
    const fits = size <= left;
    if (fits) left -= size;
    return fits;
  });
}

const importance = ({ restarts, state }: WatchedModule): number =>
  restarts.length + (state === 'running' ? 0 : 1);

/** Without what is the default, and restarts as lists of numbers. */
function packed(module: WatchedModule, count: number): object {
  const restarts = module.restarts
    .slice(-count)
    .map(({ seenAt, startedAt, pause = null, code = null }) => [seenAt, startedAt, pause, code]);
  const values = {
    ...module,
    restarts: restarts.length > 0 ? restarts : undefined,
    misses: module.misses || undefined,
  };
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined && value !== false),
  );
}

// ASCII only: names, hashes and instances. A character more at least for each separator.
const bytes = (entries: readonly Entry[]): number => JSON.stringify(entries).length;

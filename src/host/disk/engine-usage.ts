import * as z from 'zod';
import { never, orAbort, withDeadline } from '../../deadline.ts';
import type { Host } from '../../host.ts';
import { openEngine } from '../engine/client.ts';
import type { EngineSpace, EngineUsage } from './types.ts';

/**
 * What the container engine stores (`GET /info` and `GET /system/df`). Undefined where no engine answers within `seconds`.
 * The engine walks through all of its volumes to answer, so it is asked at most once in `freshSeconds`.
 */
export function createEngineUsage({
  socketPath,
  seconds = 10,
  freshSeconds = 900,
}: {
  socketPath: string;
  seconds?: number;
  freshSeconds?: number;
}): Host['engineUsage'] {
  let last: { readonly at: number; readonly usage: Promise<EngineUsage | undefined> } | undefined;

  return (signal) => {
    if (!last || performance.now() - last.at > freshSeconds * 1000) {
      const usage = withDeadline(seconds, never, (deadline) => ask(socketPath, deadline));
      // Without the engine's socket this is normal.
      last = { at: performance.now(), usage: usage.catch(() => undefined) };
    }
    return orAbort(last.usage, signal);
  };
}

async function ask(socketPath: string, signal: AbortSignal): Promise<EngineUsage> {
  const { get } = await openEngine(socketPath, signal);
  const [root, usage] = await Promise.all([get('/info', signal), get('/system/df', signal)]);
  return { folder: info.parse(root).DockerRootDir, ...readUsage(usage) };
}

const info = z.object({ DockerRootDir: z.string() });

const bytes = z.number().default(0);
const listOf = <T extends z.ZodType>(item: T) => z.array(item).nullish();
/** Since version 1.52 of the API. */
const summary = z.object({ TotalSize: bytes, Reclaimable: bytes }).nullish();
const answer = z.object({
  ImageUsage: summary,
  ContainerUsage: summary,
  VolumeUsage: summary,
  BuildCacheUsage: summary,
  LayersSize: bytes,
  Images: listOf(z.object({ Size: bytes, SharedSize: bytes, Containers: z.number().default(0) })),
  Containers: listOf(z.object({ SizeRw: bytes, State: z.string().default('') })),
  Volumes: listOf(z.object({ UsageData: z.object({ Size: bytes, RefCount: z.number() }).nullish() })),
  BuildCache: listOf(z.object({ Size: bytes, InUse: z.boolean(), Shared: z.boolean() })),
});

/** Reads the answer to `GET /system/df`. An unused image counts without the layers it shares with others. */
function readUsage(text: unknown): Omit<EngineUsage, 'folder'> {
  const df = answer.parse(text);
  const images = (df.Images ?? []).map((image) => ({
    size: image.Size - Math.max(0, image.SharedSize),
    unused: image.Containers === 0,
  }));
  const containers = (df.Containers ?? []).map(({ SizeRw, State }) => ({
    size: SizeRw,
    unused: !['running', 'paused', 'restarting'].includes(State),
  }));
  const volumes = (df.Volumes ?? []).map(({ UsageData }) => ({
    // -1 is an unknown size.
    size: Math.max(0, UsageData?.Size ?? 0),
    unused: UsageData?.RefCount === 0,
  }));
  const buildCache = (df.BuildCache ?? [])
    .filter(({ Shared }) => !Shared)
    .map(({ Size, InUse }) => ({ size: Size, unused: !InUse }));
  return {
    images: given(df.ImageUsage) ?? { ...total(images), bytes: df.LayersSize },
    containers: given(df.ContainerUsage) ?? total(containers),
    volumes: given(df.VolumeUsage) ?? total(volumes),
    buildCache: given(df.BuildCacheUsage) ?? total(buildCache),
  };
}

const given = (space: z.infer<typeof summary>): EngineSpace | undefined =>
  space ? { bytes: space.TotalSize, unusedBytes: space.Reclaimable } : undefined;

function total(items: readonly { readonly size: number; readonly unused: boolean }[]): EngineSpace {
  const sum = (some: typeof items) => some.reduce((all, { size }) => all + size, 0);
  return { bytes: sum(items), unusedBytes: sum(items.filter(({ unused }) => unused)) };
}

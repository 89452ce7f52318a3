import { uptime as uptimeOfMachine } from 'node:os';
import { never, orAbort, within } from '../../deadline.ts';
import type { Host } from '../../host.ts';
import type { EdgeModule, EdgeModules } from './types.ts';

// edged inspects every container to answer, one after another.
const listSeconds = 20;
// A minute, less what a timer of a schedule may fire early.
const freshMs = 59_500;

/** What the module list is made with. */
export interface ModuleListParts {
  list(signal: AbortSignal): Promise<readonly EdgeModule[]>;
  now(): Date;
  /** Milliseconds on a clock that no step moves. */
  monotonic?(): number;
  /** Seconds since the machine was started; a container has that of its host. */
  uptime?(): number;
}

/**
 * The module list of this device, asked for at most once a minute: each listing costs edged an inspection of every container.
 * Callers share a listing, also one that is under way. One that failed is not kept.
 */
export function createModuleList({
  list,
  now,
  monotonic = () => performance.now(),
  uptime = uptimeOfMachine,
}: ModuleListParts): Host['modules'] {
  let last: { readonly askedMs: number; readonly listing: Promise<EdgeModules> } | undefined;

  async function ask(): Promise<EdgeModules> {
    const modules = await within(listSeconds, never, list);
    return { listedAt: now(), uptimeSeconds: uptime(), modules };
  }

  return async (signal) => {
    signal.throwIfAborted();
    if (!last || monotonic() - last.askedMs >= freshMs) {
      const asked = { askedMs: monotonic(), listing: ask() };
      last = asked;
      asked.listing.catch(() => {
        if (last === asked) last = undefined;
      });
    }
    return orAbort(last.listing, signal);
  };
}

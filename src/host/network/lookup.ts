import { CannotTell } from '../../check.ts';
import { codeOf } from '../../errors.ts';
import type { Host } from '../../host.ts';
import { askServer, type Found } from './dns/name-server.ts';
import { type NameResolver, resolutionDelayMs, unresolved } from './resolve.ts';

/** By the resolver's code; any other counts as `server_failed`. */
const reasons: Readonly<Record<string, string>> = {
  ENOTFOUND: 'not_found',
  ENODATA: 'not_found',
  EREFUSED: 'refused',
  ECONNREFUSED: 'refused',
  ETIMEOUT: 'timed_out',
};

/** Finds every address of a name as this device does, or by one server alone, and measures the time. */
export function createLookUp({ resolveFully }: Pick<NameResolver, 'resolveFully'>): Host['lookUp'] {
  return async (name, server, signal) => {
    const startedAt = performance.now();
    try {
      const found = await (server === undefined
        ? resolveFully(name, signal)
        : resolveBy(server, name, signal));
      return { addresses: found.addresses, seconds: (found.usableAt - startedAt) / 1000 };
    } catch (error) {
      if (!(error instanceof CannotTell)) throw error;
      const reason = reasons[codeOf(error.cause) ?? ''] ?? 'server_failed';
      throw new CannotTell(reason, error.message, { cause: error.cause });
    }
  };
}

async function resolveBy(server: string, name: string, signal: AbortSignal): Promise<Found> {
  const reply = await askServer({ name, server, resolutionDelayMs, bothFamilies: true }, signal);
  if ('addresses' in reply) return reply;
  throw unresolved(name, { ...reply, replies: [{ server, code: reply.code }] });
}

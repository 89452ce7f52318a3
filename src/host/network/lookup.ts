import { CannotTell } from '../../check.ts';
import { codeOf } from '../../errors.ts';
import type { Host } from '../../host.ts';
import { askServers, type Resolve } from './resolve.ts';

/** By the resolver's code; any other counts as `server_failed`. */
const reasons: Readonly<Record<string, string>> = {
  ENOTFOUND: 'not_found',
  ENODATA: 'not_found',
  EREFUSED: 'refused',
  ECONNREFUSED: 'refused',
  ETIMEOUT: 'timed_out',
};

/** Resolves names like everything else here (`resolve`), or by one server alone, and measures the time. */
export function createLookUp({ resolve }: { resolve: Resolve }): Host['lookUp'] {
  return async (name, server, signal) => {
    const startedAt = performance.now();
    try {
      const addresses = await (server === undefined
        ? resolve(name, signal)
        : askServers(name, [server], signal));
      return { addresses, seconds: (performance.now() - startedAt) / 1000 };
    } catch (error) {
      if (!(error instanceof CannotTell)) throw error;
      const reason = reasons[codeOf(error.cause) ?? ''] ?? 'server_failed';
      throw new CannotTell(reason, error.message, { cause: error.cause });
    }
  };
}

import { once } from 'node:events';
import { connect } from 'node:net';
import { endpointOf } from '../../endpoint.ts';
import type { Host } from '../../host.ts';
import type { Files } from './files.ts';

interface Options {
  readonly files: Pick<Files, 'canRead' | 'canUse'>;
  /** Paths on our side; undefined where there is none. */
  readonly sockets: { readonly engine: string; readonly workload: string | undefined };
}

/** Tries what a check needs: reads, opens or connects, and sends nothing. */
export function createGrants({ files, sockets }: Options): Host['grants'] {
  return async (need, signal) => {
    switch (need.kind) {
      case 'path':
        return files.canRead(need.path, signal);
      case 'device':
        return files.canUse(need.path, signal);
      case 'socket': {
        const path = sockets[need.socket];
        return path !== undefined && connects({ path }, signal);
      }
      case 'http': {
        const url = new URL(need.url);
        return connects(endpointOf(url, url.protocol === 'https:' ? 443 : 80), signal);
      }
    }
  };
}

async function connects(
  to: { readonly path: string } | { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<boolean> {
  const socket = connect(to);
  try {
    await once(socket, 'connect', { signal });
    return true;
  } catch {
    signal.throwIfAborted();
    // Every way of not getting through is the same answer here.
    return false;
  } finally {
    socket.on('error', () => {}).destroy();
  }
}

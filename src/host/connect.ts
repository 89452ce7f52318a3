import type { Socket } from 'node:net';
import type { SecureContext, TLSSocket } from 'node:tls';
import { CannotTell, type Endpoint } from '../check.ts';
import { dial, hostPort } from './dial.ts';
import { handshake } from './handshake.ts';
import { connectThrough, type ProxyFor } from './proxy.ts';
import type { Resolve } from './resolve.ts';
import type { Timeline } from './timeline.ts';

/**
 * Opens connections for `use` and closes them when it settles. Rejects with the signal's reason, or with a
 * {@link CannotTell} whose reason is a `ProbeFailure` when the network or the other side is at fault.
 */
export interface Connect {
  /** TCP without a proxy. */
  tcp<T>(to: Destination, use: (socket: Socket) => Promise<T>, signal: AbortSignal): Promise<T>;
  /** TLS, through the proxy where one is set for the endpoint. Any certificate will do: `use` judges it. */
  tls<T>(to: TlsDestination, use: (socket: TLSSocket) => Promise<T>, signal: AbortSignal): Promise<T>;
}

interface Destination {
  readonly endpoint: Endpoint;
  readonly timeline: Timeline;
}

interface TlsDestination extends Destination {
  readonly context: SecureContext;
}

export function createConnect({ resolve, proxyFor }: { resolve: Resolve; proxyFor: ProxyFor }): Connect {
  return {
    async tcp({ endpoint, timeline }, use, signal) {
      const socket = await open(resolve, endpoint, timeline, signal);
      return use(socket).finally(() => socket.destroy());
    },

    async tls({ endpoint, timeline, context }, use, signal) {
      const socket = await openAsConfigured(resolve, proxyFor, { endpoint, timeline }, signal);
      try {
        const asked = `the TLS handshake with ${hostPort(endpoint)}`;
        const tls = await timeline.run('tls', asked, () => handshake(socket, endpoint.host, context, signal));
        return await use(tls);
      } finally {
        socket.destroy();
      }
    },
  };
}

async function open(
  resolve: Resolve,
  endpoint: Endpoint,
  timeline: Timeline,
  signal: AbortSignal,
): Promise<Socket> {
  const { host, port } = endpoint;
  const addresses = await timeline.run('resolve', `the DNS look-up of ${host}`, () => resolve(host, signal));
  const asked = `the TCP connection to ${hostPort(endpoint)}`;
  return timeline.run('connect', asked, () => dial(addresses, port, signal));
}

async function openAsConfigured(
  resolve: Resolve,
  proxyFor: ProxyFor,
  { endpoint, timeline }: Destination,
  signal: AbortSignal,
): Promise<Socket> {
  const proxy = proxyFor(endpoint);
  if (proxy === undefined) return open(resolve, endpoint, timeline, signal);

  const socket = await open(resolve, proxy, timeline, signal).catch((cause: unknown) => {
    if (!(cause instanceof CannotTell) || cause.reason === 'internal_error') throw cause;
    throw new CannotTell('proxy_failed', `The proxy cannot be reached: ${cause.message}`, { cause });
  });
  const asked = `the CONNECT request to the proxy ${hostPort(proxy)}`;
  try {
    await timeline.run('connect', asked, () => connectThrough(socket, proxy, endpoint, signal));
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

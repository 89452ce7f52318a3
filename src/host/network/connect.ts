import type { Socket } from 'node:net';
import type { SecureContext, TLSSocket } from 'node:tls';
import { CannotTell } from '../../check.ts';
import { type Endpoint, formatEndpoint, type HttpProxy } from '../../endpoint.ts';
import { handshake } from '../tls/handshake.ts';
import { dial, wasAccepted } from './dial.ts';
import { connectThrough, type ProxyFor } from './proxy.ts';
import type { Resolve } from './resolve.ts';
import type { Timeline } from './timeline.ts';

/**
 * Opens connections for `use` and closes them when it settles. Rejects with the signal's reason, or with a
 * {@link CannotTell} whose reason is a `ProbeFailure` for a fault of the network or of the other side.
 */
export interface Connect {
  /** The proxy that `tls` goes through to an endpoint, if any. */
  readonly proxyFor: ProxyFor;
  /** Whether a TCP connection is accepted, without a proxy; closes it at once. A reset after that changes nothing. */
  tcp(to: Destination, signal: AbortSignal): Promise<void>;
  /** TLS, through the proxy where one is set for the endpoint. Accepts any certificate; `use` judges it. */
  tls<T>(to: TlsDestination, use: (socket: TLSSocket) => Promise<T>, signal: AbortSignal): Promise<T>;
}

interface Destination {
  readonly endpoint: Endpoint;
  readonly timeline: Timeline;
  /** Called once a TCP connection is open: to the endpoint, or to the proxy. */
  readonly onOpen?: (opened: Opened) => void;
}

/** The address a TCP connection was made to, and its alternatives. */
export interface Opened {
  readonly address: string;
  readonly addresses: readonly string[];
  readonly port: number;
}

interface TlsDestination extends Destination {
  readonly context: SecureContext;
  /** See `handshake`. */
  readonly onPresented?: (socket: TLSSocket) => void;
}

/** Connections by this device's resolver and proxy. */
export function createConnect({ resolve, proxyFor }: { resolve: Resolve; proxyFor: ProxyFor }): Connect {
  return {
    proxyFor,

    async tcp(to, signal) {
      try {
        (await open(resolve, to, signal)).destroy();
      } catch (error) {
        if (!wasAccepted(error)) throw error;
      }
    },

    async tls({ context, onPresented, ...to }, use, signal) {
      const { endpoint, timeline } = to;
      const socket = await openAsConfigured(resolve, proxyFor, to, signal);
      try {
        const step = `the TLS handshake with ${formatEndpoint(endpoint)}, ${openedBy(proxyFor(endpoint))}`;
        const options = { host: endpoint.host, context, onPresented };
        const tls = await timeline.run('tls', step, () => handshake(socket, options, signal));
        return await use(tls);
      } finally {
        socket.destroy();
      }
    },
  };
}

async function open(
  resolve: Resolve,
  { endpoint, timeline, onOpen }: Destination,
  signal: AbortSignal,
): Promise<Socket> {
  const { host, port } = endpoint;
  const addresses = await timeline.run('resolve', `the DNS lookup of ${host}`, () => resolve(host, signal));
  const step = `the TCP connection to ${formatEndpoint(endpoint)}`;
  const { socket, address } = await timeline.run('connect', step, () => dial(addresses, port, signal));
  onOpen?.({ address, addresses, port });
  return socket;
}

/** Who accepted the connection on which a handshake stays without an answer. */
const openedBy = (proxy: HttpProxy | undefined): string =>
  proxy === undefined
    ? 'which accepted the TCP connection'
    : `to which the proxy ${formatEndpoint(proxy)} has connected`;

async function openAsConfigured(
  resolve: Resolve,
  proxyFor: ProxyFor,
  to: Destination,
  signal: AbortSignal,
): Promise<Socket> {
  const { endpoint, timeline } = to;
  const proxy = proxyFor(endpoint);
  if (proxy === undefined) return open(resolve, to, signal);

  const socket = await open(resolve, { ...to, endpoint: proxy }, signal).catch((cause: unknown) => {
    if (!(cause instanceof CannotTell) || cause.reason === 'internal_error') throw cause;
    throw new CannotTell('proxy_failed', `The proxy cannot be reached: ${cause.message}`, { cause });
  });
  const step = `the CONNECT request to the proxy ${formatEndpoint(proxy)}`;
  try {
    await timeline.run('connect', step, () => connectThrough(socket, proxy, endpoint, signal));
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

import type { IncomingMessage, Server } from 'node:http';

type Socket = IncomingMessage['socket'];

const maxConnections = 64;
/** High, because clients behind a container engine's proxy share one address. */
const maxPerAddress = 48;

/** The open connections of a server, and which of them wait for their client. */
export interface Connections {
  /** The connection waits for its client now: for a request, or until the client reads a response. */
  waits(socket: Socket): void;
  /** A request is being answered. */
  works(socket: Socket): void;
}

/**
 * Limits a server's connections. A new one is always accepted. Beyond a limit, the connection that has waited for its
 * client the longest is closed in its place: one of the same address, or of the address that has the most. So a client
 * that does not send or read loses its own connections first.
 */
export function limitConnections(server: Server): Connections {
  /** Those that wait come first, the longest waiting at the front. */
  const open = new Map<Socket, { readonly address: string; readonly working: boolean }>();

  function put(socket: Socket, working: boolean): void {
    const known = open.get(socket);
    if (!known) return;
    open.delete(socket);
    open.set(socket, { ...known, working });
  }

  server.on('connection', (socket) => {
    // Undefined for a client that has gone already.
    const address = socket.remoteAddress ?? '';
    open.set(socket, { address, working: false });
    socket.once('close', () => open.delete(socket));
    const crowded = crowdedAddress(
      [...open.values()].map((each) => each.address),
      address,
    );
    if (crowded === undefined) return;
    const candidates = [...open].filter(([each, state]) => each !== socket && state.address === crowded);
    const [closing] = candidates.find(([, { working }]) => !working) ?? candidates[0] ?? [socket];
    open.delete(closing);
    closing.destroy();
  });
  return { waits: (socket) => put(socket, false), works: (socket) => put(socket, true) };
}

/** The address that has to give up a connection; undefined while no limit is exceeded. */
function crowdedAddress(addresses: readonly string[], latest: string): string | undefined {
  const counts = new Map<string, number>();
  for (const address of addresses) counts.set(address, (counts.get(address) ?? 0) + 1);
  if ((counts.get(latest) ?? 0) > maxPerAddress) return latest;
  if (addresses.length <= maxConnections) return undefined;
  return [...counts].reduce((most, each) => (each[1] > most[1] ? each : most))[0];
}

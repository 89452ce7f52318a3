import type { Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { listen, portOf } from '../../http.ts';
import type { Issued } from '../../workload/pki.ts';

/** A TLS port that can close, reopen and change its certificate. */
export interface Listener {
  readonly port: number;
  /** Applies to new handshakes. */
  setCertificate(issued: Issued): void;
  dropConnections(): void;
  /** Drops all connections and stops listening. */
  close(): Promise<void>;
  /** Listens on the same port again. */
  reopen(): Promise<void>;
}

export interface ListenerOptions {
  readonly host: string | undefined;
  /** 0 for any free port. */
  readonly port: number;
  readonly issued: Issued;
  onConnection(socket: TLSSocket): void;
  /** Also called when a client does not trust the certificate. */
  onHandshakeError(error: Error): void;
}

/** Resolves once the port listens. */
export async function createListener(options: ListenerOptions): Promise<Listener> {
  const sockets = new Set<Socket>();
  const server = createServer(tlsOf(options.issued), options.onConnection);
  server.on('tlsClientError', options.onHandshakeError);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const host = options.host === undefined ? {} : { host: options.host };
  await listen(server, { port: options.port, ...host });
  const port = portOf(server);

  const dropConnections = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port,
    // A new context also has new ticket keys, so a client cannot resume a session and bypass the new certificate.
    setCertificate: (issued) => server.setSecureContext(tlsOf(issued)),
    dropConnections,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        dropConnections();
      }),
    reopen: () => listen(server, { port, ...host }),
  };
}

const tlsOf = ({ key, chain }: Issued) => ({ key, cert: chain, minVersion: 'TLSv1.2' as const });

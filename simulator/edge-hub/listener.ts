import type { Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { listen, portOf } from '../http.ts';
import type { Issued } from '../workload/pki.ts';

/** A TLS port that can be taken down and brought up again, and can change its certificate meanwhile. */
export interface Listener {
  readonly port: number;
  /** Shows another certificate from the next handshake on. */
  present(issued: Issued): void;
  /** Ends every connection. */
  drop(): void;
  /** Ends every connection and refuses new ones. */
  down(): Promise<void>;
  /** Listens again, on the same port. */
  up(): Promise<void>;
}

export interface ListenerOptions {
  readonly host: string | undefined;
  /** 0 for any free port. */
  readonly port: number;
  readonly issued: Issued;
  onConnection(socket: TLSSocket): void;
  /** A handshake that failed, which is where a client that does not trust the certificate is seen. */
  onHandshakeError(error: Error): void;
}

/** Listens. */
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

  const drop = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port,
    // A new context has new session keys too, so that no client resumes past the new certificate.
    present: (issued) => server.setSecureContext(tlsOf(issued)),
    drop,
    down: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        drop();
      }),
    up: () => listen(server, { port, ...host }),
  };
}

const tlsOf = ({ key, chain }: Issued) => ({ key, cert: chain, minVersion: 'TLSv1.2' as const });

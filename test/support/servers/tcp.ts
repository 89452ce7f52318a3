import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { onTestFinished } from 'vitest';
import type { Issued } from '../../../simulator/workload/pki.ts';

/** A server on loopback that is closed when the test finishes. */
export interface TestServer {
  readonly port: number;
  /** In the order of acceptance. */
  readonly connections: readonly Socket[];
}

async function listen(
  server: Server,
  address: { path: string } | { host: string; port: number } = { host: '127.0.0.1', port: 0 },
): Promise<TestServer> {
  const connections: Socket[] = [];
  server.on('connection', (socket: Socket) => {
    connections.push(socket);
    socket.on('error', () => undefined);
  });
  onTestFinished(() => {
    server.close();
    for (const socket of connections) socket.destroy();
  });
  server.listen(address);
  await once(server, 'listening');
  const bound = server.address();
  return { port: bound !== null && typeof bound === 'object' ? bound.port : 0, connections };
}

/** Accepts connections and never sends anything. `asked` is a deadline that passes when it receives data. */
export async function silentServer(host = '127.0.0.1'): Promise<TestServer & { asked: AbortSignal }> {
  const { signal, pass } = deadline();
  const server = createServer((socket) => socket.once('data', pass));
  return { ...(await listen(server, { host, port: 0 })), asked: signal };
}

/** A deadline that passes when the test calls `pass`, so that no test depends on the load of the machine. */
export function deadline(): { readonly signal: AbortSignal; readonly pass: () => void } {
  const controller = new AbortController();
  const pass = () => controller.abort(new DOMException('The deadline has passed', 'TimeoutError'));
  return { signal: controller.signal, pass };
}

/** Accepts connections and calls `onConnection` with each. */
export const tcpServer = (onConnection: (socket: Socket) => void): Promise<TestServer> =>
  listen(createServer(onConnection));

/** A port of 127.0.0.1 without a listener. */
export async function refusedPort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A TLS server with this chain. It serves HTTP if `answer` is given, and otherwise sends nothing. */
export function tlsServer(
  { chain, key }: Pick<Issued, 'chain' | 'key'>,
  answer?: RequestListener,
): Promise<TestServer> {
  const http = createHttpServer(answer);
  const server = createTlsServer({ cert: chain, key }, (socket) => {
    socket.on('error', () => undefined);
    if (answer) http.emit('connection', socket);
  });
  return listen(server);
}

/** An HTTP server on a unix socket. */
export const unixHttpServer = (path: string, answer: RequestListener): Promise<TestServer> =>
  listen(createHttpServer(answer), { path });

/** A CONNECT proxy that forwards every connection to `upstreamPort` on loopback, or responds with status `refuse`. */
export async function proxyServer(behaviour: { upstreamPort: number } | { refuse: number }) {
  const asked: { authority: string | undefined; authorization: string | undefined }[] = [];
  const http: HttpServer = createHttpServer();
  http.on('connect', (request, client: Socket) => {
    asked.push({ authority: request.url, authorization: request.headers['proxy-authorization'] });
    if ('refuse' in behaviour) return client.end(`HTTP/1.1 ${behaviour.refuse} No\r\n\r\n`);
    const upstream = connect(behaviour.upstreamPort, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      client.pipe(upstream).pipe(client);
    });
    upstream.on('error', () => client.destroy());
    client.on('close', () => upstream.destroy());
  });
  return { ...(await listen(http)), asked };
}

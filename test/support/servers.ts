import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { onTestFinished } from 'vitest';
import type { Issued } from '../../simulator/workload/pki.ts';

/** A server on loopback that lives as long as the test. */
export interface TestServer {
  readonly port: number;
  /** Connections in the order they came. */
  readonly connections: readonly Socket[];
}

async function listen(
  server: Server,
  where: { path: string } | { host: string; port: number } = { host: '127.0.0.1', port: 0 },
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
  server.listen(where);
  await once(server, 'listening');
  const address = server.address();
  return { port: address !== null && typeof address === 'object' ? address.port : 0, connections };
}

/** Accepts connections and says nothing. `asked` is a deadline that passes once it has been sent something. */
export async function silentServer(host = '127.0.0.1'): Promise<TestServer & { asked: AbortSignal }> {
  const { signal, pass } = deadline();
  const server = createServer((socket) => socket.once('data', pass));
  return { ...(await listen(server, { host, port: 0 })), asked: signal };
}

/** A deadline that passes when it is told to, so that no test depends on how busy the machine is. */
export function deadline(): { readonly signal: AbortSignal; readonly pass: () => void } {
  const controller = new AbortController();
  const pass = () => controller.abort(new DOMException('The deadline has passed', 'TimeoutError'));
  return { signal: controller.signal, pass };
}

/** Accepts connections and does `onConnection` with each. */
export const tcpServer = (onConnection: (socket: Socket) => void): Promise<TestServer> =>
  listen(createServer(onConnection));

/** A port of loopback where nothing listens. */
export async function refusedPort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Presents a certificate's chain; speaks HTTP when given an answer to every request, and nothing otherwise. */
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

/** A CONNECT proxy that carries every connection to `upstreamPort` on loopback, or answers with `refuse`. */
export async function proxyServer(how: { upstreamPort: number } | { refuse: number }) {
  const asked: { authority: string | undefined; authorization: string | undefined }[] = [];
  const http: HttpServer = createHttpServer();
  http.on('connect', (request, client: Socket) => {
    asked.push({ authority: request.url, authorization: request.headers['proxy-authorization'] });
    if ('refuse' in how) return client.end(`HTTP/1.1 ${how.refuse} No\r\n\r\n`);
    const upstream = connect(how.upstreamPort, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      client.pipe(upstream).pipe(client);
    });
    upstream.on('error', () => client.destroy());
    client.on('close', () => upstream.destroy());
  });
  return { ...(await listen(http)), asked };
}

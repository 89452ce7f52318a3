import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isAllowedHost } from './allowed-hosts.ts';
import { acceptsGzip, type Body } from './body.ts';
import { limitConnections } from './connections.ts';
import { limitRequestTime } from './request-time.ts';

type Socket = IncomingMessage['socket'];

/** A response; the default status is 200. */
export interface Answer {
  readonly status?: number;
  readonly type: string;
  readonly body: string | Body;
}

/** Where a server listens, and what it answers. */
export interface ServerOptions {
  readonly address: string;
  readonly port: number;
  /** Names in `Host` headers that are answered; empty: all. */
  readonly allowedHosts: readonly string[];
}

/** Handlers by exact path. They must be quick: HTTP requests never run checks. */
export type Routes = Readonly<Record<string, () => Answer | Promise<Answer>>>;

/** A connection waits for its next request for a second more than the `Keep-Alive` header promises. */
const requestTimes = { first: 5000, next: 6000 };
const keepAliveTimeout = 5000;

/** Node.js's own limits, which need a timer even without connections, are off: its next check is in 24 days. */
const noTimeouts = { headersTimeout: 0, requestTimeout: 0, connectionsCheckingInterval: 2 ** 31 - 1 };

/** A response without progress for this long is aborted; for twice as long if the system has buffered part of it. */
const stallTimeoutMs = 5000;

/** Pipelined requests on one connection; more of them would cost too much memory. */
const maxPipelined = 8;

/**
 * A server for GET and HEAD on a few paths. Resolves once it listens. Slow, oversized and malformed requests are
 * rejected; when a handler throws, the response is a 500 and `onError` is called. A connection has one response at a
 * time: if a client sends another request before, the connection is closed after the current response.
 */
export async function serve(
  routes: Routes,
  { address, port, allowedHosts }: ServerOptions,
  onError: (error: unknown) => void,
): Promise<Server> {
  const exchanges = createExchanges();
  const server = createServer(
    { ...noTimeouts, keepAliveTimeout, maxHeaderSize: 8192 },
    (request, response) => {
      const { socket } = request;
      if (!exchanges.begin(socket, response)) return;
      connections.works(socket);
      response.once('close', () => connections.waits(socket));
      const respond = async (result: Answer) => {
        await send(request, response, result);
        connections.waits(socket);
      };
      const failed = (error: unknown) => {
        onError(error);
        return text(500, 'Internal error');
      };
      answer(routes, allowedHosts, request)
        .catch(failed)
        .then(respond)
        .catch((error: unknown) => {
          onError(error);
          response.destroy();
        });
    },
  );
  const connections = limitConnections(server);
  limitRequestTime(server, requestTimes);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return server;
}

/** A response with one line of plain text. */
export const text = (status: number, body: string): Answer => ({
  status,
  type: 'text/plain; charset=utf-8',
  body: `${body}\n`,
});

const wrongHost = text(
  421,
  'This host name is not answered. Use the IP address, or add the name to HARDENING_ALLOWED_HOSTS.',
);

async function answer(
  routes: Routes,
  allowedHosts: readonly string[],
  { method, url, headers }: IncomingMessage,
): Promise<Answer> {
  if (!isAllowedHost(headers.host, allowedHosts)) return wrongHost;
  if (method !== 'GET' && method !== 'HEAD') return text(405, 'Method not allowed. Use GET or HEAD.');
  const path = (url ?? '/').split('?', 1)[0] ?? '/';
  // Not routes[path], which would also find __proto__.
  const route = Object.entries(routes).find(([known]) => known === path)?.[1];
  return route ? route() : text(404, `Not found. Available: ${Object.keys(routes).join(' ')}`);
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status = 200, type, body }: Answer,
): Promise<void> {
  // A client that does not read must not occupy one of the few connections.
  response.setTimeout(stallTimeoutMs);
  const gzip = typeof body !== 'string' && acceptsGzip(request.headers['accept-encoding']);
  const bytes = typeof body === 'string' ? Buffer.from(body) : gzip ? await body.gzipped() : body.bytes;
  response.writeHead(status, {
    'content-type': type,
    'content-length': bytes.length,
    ...(gzip ? { 'content-encoding': 'gzip' } : {}),
    vary: 'accept-encoding',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
    // The body of other methods is not read: the connection is closed after the response.
    ...(request.method === 'GET' || request.method === 'HEAD' ? {} : { connection: 'close' }),
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

/** The response under way on each connection. */
function createExchanges() {
  const exchanges = new WeakMap<Socket, { readonly response: ServerResponse; pipelined: number }>();
  return {
    /** Whether this request may be handled; if not, its connection is closed after the response under way. */
    begin(socket: Socket, response: ServerResponse): boolean {
      const current = exchanges.get(socket);
      if (current) {
        current.pipelined += 1;
        current.response.shouldKeepAlive = false;
        if (current.pipelined >= maxPipelined) socket.destroy();
        return false;
      }
      const exchange = { response, pipelined: 0 };
      exchanges.set(socket, exchange);
      // Emitted once the system has accepted the whole response, which it does not while too much is unread.
      response.once('close', () => {
        if (exchange.pipelined > 0) socket.destroySoon();
        else exchanges.delete(socket);
      });
      return true;
    },
  };
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

type Socket = IncomingMessage['socket'];

/** What a route answers; 200 unless it says otherwise. */
export interface Answer {
  readonly status?: number;
  readonly type: string;
  readonly body: string;
}

/** What is served, by exact path. Handlers are quick: no request makes a check run. */
export type Routes = Readonly<Record<string, () => Answer | Promise<Answer>>>;

/** An answer that moves no further for this long, or twice as long where the system still holds some of it, is cut off. */
const stalledMs = 5000;

const mostConnections = 64;

/** Requests sent ahead of the answer to the one before; from here on their mere number costs memory. */
const mostAhead = 8;

/**
 * A server for GET and HEAD on a few paths. Resolves once it listens. Slow, oversized and malformed requests are
 * cut off; a handler that throws costs a 500 and is handed to `onError`. A connection has one answer at a time: whoever
 * asks again before the answer is gone has that answer and no other.
 */
export async function serve(
  routes: Routes,
  address: string,
  port: number,
  onError: (error: unknown) => void,
): Promise<Server> {
  const turns = createTurns();
  const server = createServer(
    { headersTimeout: 5000, requestTimeout: 5000, connectionsCheckingInterval: 1000, maxHeaderSize: 8192 },
    (request, response) => {
      if (!turns.take(request.socket, response)) return;
      answer(routes, request).then(
        (given) => send(request, response, given),
        (error: unknown) => {
          onError(error);
          send(request, response, text(500, 'Internal error'));
        },
      );
    },
  );
  limitConnections(server, turns.busy);
  server.keepAliveTimeout = 5000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return server;
}

/** A line of plain text. */
export const text = (status: number, body: string): Answer => ({
  status,
  type: 'text/plain; charset=utf-8',
  body: `${body}\n`,
});

async function answer(routes: Routes, { method, url }: IncomingMessage): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') return text(405, 'Only GET and HEAD');
  const path = (url ?? '/').split('?', 1)[0] ?? '/';
  // Not routes[path]: that would find __proto__ as well.
  const route = Object.entries(routes).find(([known]) => known === path)?.[1];
  return route ? route() : text(404, `Nothing here; there is ${Object.keys(routes).join(' ')}`);
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status = 200, type, body }: Answer,
): void {
  const bytes = Buffer.from(body);
  // Whoever does not read must not keep one of the few connections.
  response.setTimeout(stalledMs);
  response.writeHead(status, {
    'content-type': type,
    'content-length': bytes.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
    // A body nobody asked for is not read: the connection ends with the answer.
    ...(request.method === 'GET' || request.method === 'HEAD' ? {} : { connection: 'close' }),
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

/** Whose turn it is on each connection. */
function createTurns() {
  const turns = new WeakMap<Socket, { readonly response: ServerResponse; ahead: number }>();
  return {
    /** Whether this request may be answered; if not, its connection ends with the answer under way. */
    take(socket: Socket, response: ServerResponse): boolean {
      const taken = turns.get(socket);
      if (taken) {
        taken.ahead += 1;
        taken.response.shouldKeepAlive = false;
        if (taken.ahead >= mostAhead) socket.destroy();
        return false;
      }
      const turn = { response, ahead: 0 };
      turns.set(socket, turn);
      // Closed once the system has taken all of the answer, which it does not while the client leaves too much unread.
      response.once('close', () => {
        if (turn.ahead > 0) socket.destroySoon();
        else turns.delete(socket);
      });
      return true;
    },
    /** Whether an answer is under way on this connection. */
    busy: (socket: Socket): boolean => turns.has(socket),
  };
}

/** Beyond the limit the oldest connection without an answer under way goes, be it the new one itself. */
function limitConnections(server: Server, busy: (socket: Socket) => boolean): void {
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    if (open.size <= mostConnections) return;
    const leaving = [...open].find((each) => !busy(each)) ?? socket;
    open.delete(leaving);
    leaving.destroy();
  });
}

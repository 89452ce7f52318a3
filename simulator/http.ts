import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ListenOptions, Server as NetServer } from 'node:net';

/** An error response: its status, and its message for the body. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;

  constructor(status: number, message: string, options: { cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.status = status;
  }
}

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly contentType: string | undefined;
  /** Empty for a request without a body. */
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  /** A string is sent as text in the Prometheus format, anything else as JSON. */
  readonly body: unknown;
}

/** Handles one request. Can throw an {@link HttpError}. */
export type Handler = (request: Request) => Reply | Promise<Reply>;

const maxBodyBytes = 1024 * 1024;

/** Creates an HTTP server for a handler. `errorKey` is the field of an error body that contains the message. */
export const serve = (errorKey: 'message' | 'error', handle: Handler): Server =>
  createServer((incoming, response) => void respond(incoming, response, errorKey, handle));

async function respond(
  incoming: IncomingMessage,
  response: ServerResponse,
  errorKey: string,
  handle: Handler,
) {
  const { status, type, text } = await readRequest(incoming)
    .then(handle)
    .then(written)
    .catch((error: unknown) =>
      written({
        status: statusOf(error),
        body: { [errorKey]: error instanceof Error ? error.message : String(error) },
      }),
    );
  // After an early response the request body is left unread, so the connection cannot be reused.
  if (!incoming.complete) response.setHeader('connection', 'close');
  response.writeHead(status, { 'content-type': type }).end(text);
}

/** A body as it is sent. Throws for one that is nested too deeply for JSON. */
const written = ({ status, body }: Reply) =>
  typeof body === 'string'
    ? { status, type: 'text/plain; version=0.0.4; charset=utf-8', text: body }
    : { status, type: 'application/json', text: JSON.stringify(body) };

function statusOf(error: unknown): number {
  if (error instanceof HttpError) return error.status;
  // Thrown by decodeURIComponent for a malformed path.
  return error instanceof URIError ? 400 : 500;
}

/** Resolves once a server listens. Rejects with the address and the cause. */
export const listen = (server: NetServer, where: ListenOptions): Promise<void> =>
  new Promise((resolve, reject) => {
    const address = where.path ?? `${where.host ?? '*'}:${where.port}`;
    const onError = (cause: Error) => reject(new Error(`Could not listen on ${address}`, { cause }));
    server.once('error', onError);
    server.listen(where, () => {
      server.off('error', onError);
      resolve();
    });
  });

/** The TCP port a server listens on. */
export function portOf(server: NetServer): number {
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new Error('The server does not listen on a TCP port');
  return address.port;
}

/** Stops an HTTP server and closes all its connections. */
export const stop = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

async function readRequest(incoming: IncomingMessage): Promise<Request> {
  const url = new URL(incoming.url ?? '/', 'http://localhost');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) throw new HttpError(413, `The body must not exceed ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return {
    method: incoming.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    contentType: incoming.headers['content-type']?.split(';')[0]?.trim(),
    body: Buffer.concat(chunks).toString(),
  };
}

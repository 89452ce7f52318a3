import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ListenOptions, Server as NetServer } from 'node:net';

/** An answer other than success: its status, and its message for the body. */
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
  /** Empty when there is none. */
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  /** A string goes out as plain text in the Prometheus format, everything else as JSON. */
  readonly body: unknown;
}

/** Answers one request, or throws an {@link HttpError}. */
export type Handler = (request: Request) => Reply | Promise<Reply>;

const maxBodyBytes = 1024 * 1024;

/** An HTTP server around a handler. `errorKey` names the one field of an error's body. */
export const serve = (errorKey: 'message' | 'error', handle: Handler): Server =>
  createServer((incoming, response) => void answer(incoming, response, errorKey, handle));

async function answer(
  incoming: IncomingMessage,
  response: ServerResponse,
  errorKey: string,
  handle: Handler,
) {
  const { status, body } = await read(incoming)
    .then(handle)
    .catch((error: unknown) => ({
      status: statusOf(error),
      body: { [errorKey]: error instanceof Error ? error.message : String(error) },
    }));
  const [type, text] =
    typeof body === 'string'
      ? ['text/plain; version=0.0.4; charset=utf-8', body]
      : ['application/json', JSON.stringify(body)];
  // After an early answer the rest of the request is not read, so the connection cannot be used again.
  if (!incoming.complete) response.setHeader('connection', 'close');
  response.writeHead(status, { 'content-type': type }).end(text);
}

function statusOf(error: unknown): number {
  if (error instanceof HttpError) return error.status;
  // decodeURIComponent's, of a path that is not well percent-encoded.
  return error instanceof URIError ? 400 : 500;
}

/** Parsed JSON, or 400 with the reason. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HttpError(400, `The body is not JSON: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}

/** Settles when a server listens, or with the reason why it cannot. */
export const listen = (server: NetServer, where: ListenOptions): Promise<void> =>
  new Promise((resolve, reject) => {
    const place = where.path ?? `${where.host ?? '*'}:${where.port}`;
    const failed = (cause: Error) =>
      reject(new Error(`Could not listen on ${place}: ${cause.message}`, { cause }));
    server.once('error', failed);
    server.listen(where, () => {
      server.off('error', failed);
      resolve();
    });
  });

/** The TCP port a server listens on. */
export function portOf(server: NetServer): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server listens on no TCP port');
  return address.port;
}

/** Ends an HTTP server and every connection to it. */
export const stop = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

async function read(incoming: IncomingMessage): Promise<Request> {
  const url = new URL(incoming.url ?? '/', 'http://localhost');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) throw new HttpError(413, `The body has more than ${maxBodyBytes} bytes`);
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

import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { CannotTell } from '../../check.ts';
import type { Endpoint } from '../../endpoint.ts';

interface Ask {
  readonly endpoint: Endpoint;
  readonly path: string;
}

/** The head of an HTTP answer. */
interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/**
 * Sends one GET request over an open TLS connection and returns the answer's head. Redirects are not followed
 * and the body is not read, so the connection is of no use afterwards.
 *
 * @throws CannotTell `http_status` when what comes back is no HTTP answer.
 */
export function exchangeHttps(
  socket: TLSSocket,
  { endpoint, path }: Ask,
  signal: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({
      ...endpoint,
      path,
      // From the origin: a cache's answer proves nothing and carries an old date (RFC 9111, section 5.2.1.4).
      headers: { 'User-Agent': 'eflow-hardening-agent', 'Cache-Control': 'no-cache' },
      createConnection: () => socket,
      signal,
    });
    asked.once('response', (response) => {
      response.on('error', () => undefined);
      resolve({ status: response.statusCode ?? 0, headers: response.headers });
      response.destroy();
    });
    asked.on('error', (cause: NodeJS.ErrnoException) => {
      if (signal.aborted) return reject(signal.reason);
      const message = `GET ${path} was not answered in HTTP (${cause.code ?? cause.message})`;
      reject(new CannotTell('http_status', message, { cause }));
    });
    asked.end();
  });
}

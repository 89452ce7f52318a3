import { request } from 'node:http';
import { CannotTell } from '../../check.ts';
import { codeOf, describeFailure } from '../../errors.ts';

export interface UnixRequest {
  readonly socketPath: string;
  /** The request in messages: `GET /modules on /run/workload.sock`. */
  readonly what: string;
  readonly path: string;
  /** Sent as JSON with POST; without it, the request is a GET. */
  readonly body?: unknown;
  /** A larger answer is an error. */
  readonly maxBytes: number;
}

/** An HTTP answer. */
export interface UnixAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * One HTTP request over a unix socket.
 *
 * @throws CannotTell `not_found`, `no_access` or `unreadable`, also for an answer of more than `maxBytes`.
 */
export function requestOverUnixSocket(
  { socketPath, what, path, body, maxBytes }: UnixRequest,
  signal: AbortSignal,
): Promise<UnixAnswer> {
  const sent = body === undefined ? undefined : JSON.stringify(body);
  const kind =
    sent === undefined
      ? { method: 'GET' }
      : {
          method: 'POST',
          headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(sent) },
        };
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) => reject(signal.aborted ? signal.reason : failure(what, cause));
    // The host of a URL on a unix socket means nothing, but some servers answer 400 without one.
    const options = { socketPath, path, host: 'localhost', agent: false, signal, ...kind };
    const outgoing = request(options, (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        chunks.push(chunk);
        if (length > maxBytes) {
          response.destroy(
            new CannotTell('unreadable', `${what} was answered with more than ${maxBytes} bytes`),
          );
        }
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
      );
      response.on('error', fail);
    });
    outgoing.on('error', fail);
    // Without a listener, Node.js closes such a connection without an error.
    outgoing.on('upgrade', (_, socket) => {
      socket.destroy();
      fail(new Error('it changed to another protocol'));
    });
    outgoing.end(sent);
  });
}

function failure(what: string, cause: Error): CannotTell {
  if (cause instanceof CannotTell) return cause;
  const code = codeOf(cause);
  const reason = code === 'ENOENT' ? 'not_found' : code === 'EACCES' ? 'no_access' : 'unreadable';
  return new CannotTell(reason, describeFailure(`${what} was not answered`, cause), { cause });
}

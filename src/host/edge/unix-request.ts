import { request } from 'node:http';
import { CannotTell } from '../../check.ts';
import { codeOf } from '../../errors.ts';

export interface UnixRequest {
  readonly socketPath: string;
  /** What listens there, for messages. */
  readonly server: string;
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
  { socketPath, server, path, body, maxBytes }: UnixRequest,
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
    const fail = (cause: Error) =>
      reject(signal.aborted ? signal.reason : failure(`${server} at ${socketPath}`, cause));
    // The host of a URL on a unix socket means nothing, but some servers answer 400 without one.
    const options = { socketPath, path, host: 'localhost', agent: false, signal, ...kind };
    const outgoing = request(options, (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        chunks.push(chunk);
        if (length > maxBytes) response.destroy(new Error(`more than ${maxBytes} bytes`));
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
      );
      response.on('error', fail);
    });
    outgoing.on('error', fail);
    outgoing.end(sent);
  });
}

function failure(server: string, cause: Error): CannotTell {
  const code = codeOf(cause) ?? cause.message;
  const reason = code === 'ENOENT' ? 'not_found' : code === 'EACCES' ? 'no_access' : 'unreadable';
  return new CannotTell(reason, `${server} gave no answer (${code})`, { cause });
}

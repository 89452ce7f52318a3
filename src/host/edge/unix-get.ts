import { request } from 'node:http';
import { CannotTell } from '../../check.ts';
import { codeOf } from '../../errors.ts';

/** An HTTP answer. */
export interface UnixAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * One HTTP GET over a unix socket.
 *
 * @param server what listens there, for messages
 * @throws CannotTell `not_found`, `no_access` or `unreadable`, also for an answer of more than `maxBytes`.
 */
export function getOverUnixSocket(
  {
    socketPath,
    server,
    path,
    maxBytes,
  }: {
    readonly socketPath: string;
    readonly server: string;
    readonly path: string;
    readonly maxBytes: number;
  },
  signal: AbortSignal,
): Promise<UnixAnswer> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) =>
      reject(signal.aborted ? signal.reason : failure(`${server} at ${socketPath}`, cause));
    // The host of a URL on a unix socket means nothing, but some servers answer 400 without one.
    const outgoing = request({ socketPath, path, host: 'localhost', agent: false, signal }, (response) => {
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
    outgoing.end();
  });
}

function failure(server: string, cause: Error): CannotTell {
  const code = codeOf(cause) ?? cause.message;
  const reason = code === 'ENOENT' ? 'not_found' : code === 'EACCES' ? 'no_access' : 'unreadable';
  return new CannotTell(reason, `${server} gave no answer (${code})`, { cause });
}

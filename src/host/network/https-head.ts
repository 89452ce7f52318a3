import type { TLSSocket } from 'node:tls';
import { CannotTell } from '../../check.ts';
import { type Endpoint, formatEndpoint } from '../../endpoint.ts';
import { tlsWords } from '../tls/tls-error.ts';

/** The head of an HTTP answer. */
export interface HttpHead {
  readonly status: number;
  /** By name in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

const longestHead = 65_536;

/**
 * One HEAD request over an open TLS connection, which stays open for the next one: Node's own client closes it after
 * an answer to HEAD that names no Content-Length. Redirects are not followed.
 *
 * @throws CannotTell `http_status` when what comes back is no HTTP answer.
 */
export async function askHead(
  socket: TLSSocket,
  endpoint: Endpoint,
  path: string,
  signal: AbortSignal,
): Promise<HttpHead> {
  const lines = [
    `HEAD ${path} HTTP/1.1`,
    `Host: ${formatEndpoint(endpoint).replace(/:443$/, '')}`,
    'User-Agent: eflow-hardening-agent',
    // From the origin: a cache's answer proves nothing and carries an old date (RFC 9111, section 5.2.1.4).
    'Cache-Control: no-cache',
  ];
  try {
    const answer = readHead(socket, signal);
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    return parseHead(await answer);
  } catch (cause) {
    signal.throwIfAborted();
    // What has no code is our own.
    const own = cause instanceof Error && !('code' in cause);
    const why = own ? cause.message : tlsWords(cause);
    throw new CannotTell('http_status', `HEAD ${path} was not answered in HTTP (${why})`, { cause });
  }
}

/** The text up to the empty line. */
async function readHead(socket: TLSSocket, signal: AbortSignal): Promise<string> {
  let text = '';
  let settle = () => {};
  try {
    return await new Promise<string>((resolve, reject) => {
      const onData = (chunk: Buffer) => {
        text = withoutInterim(text + chunk.toString('latin1'));
        const end = /\r?\n\r?\n/.exec(text)?.index;
        if (end !== undefined) resolve(text.slice(0, end));
        else if (text.length > longestHead) reject(new Error(`its head has more than ${longestHead} bytes`));
      };
      const onClose = () => reject(new Error('the connection was closed'));
      const onAbort = () => reject(signal.reason);
      settle = () => {
        socket.off('data', onData).off('end', onClose).off('close', onClose).off('error', reject).pause();
        signal.removeEventListener('abort', onAbort);
      };
      if (socket.destroyed || socket.readableEnded) onClose();
      socket.on('data', onData).on('end', onClose).on('close', onClose).on('error', reject).resume();
      signal.addEventListener('abort', onAbort);
    });
  } finally {
    settle();
  }
}

/** RFC 9110, section 15.2: answers of class 1xx come before the one that counts. */
const withoutInterim = (text: string): string =>
  text.replace(/^(?:HTTP\/1\.1 1\d\d[^\n]*\n(?:[^\r\n][^\n]*\n)*\r?\n)+/, '');

function parseHead(text: string): HttpHead {
  const [first = '', ...lines] = text.split(/\r?\n/);
  const [, status] = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first) ?? [];
  if (status === undefined) throw new Error(`it began with "${first.slice(0, 20).replace(/[^ -~]/g, '?')}"`);
  const headers = lines.flatMap((line): [string, string][] => {
    const [, name, value] = /^([^\s:]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    return name === undefined || value === undefined ? [] : [[name.toLowerCase(), value]];
  });
  return { status: Number(status), headers: new Map(headers) };
}

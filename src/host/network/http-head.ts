import type { TLSSocket } from 'node:tls';
import { CannotTell } from '../../check.ts';
import { type Endpoint, formatEndpoint } from '../../endpoint.ts';
import { codeOf } from '../../errors.ts';
import { describeTlsError } from '../tls/tls-error.ts';

/** The head of an HTTP answer. */
export interface HttpHead {
  readonly status: number;
  /** By name in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

interface Request {
  readonly method: 'GET' | 'HEAD';
  readonly endpoint: Endpoint;
  readonly path: string;
}

const maxBytes = 65_536;

/**
 * Sends one request over an open TLS connection and reads the head of the answer. Redirects are not followed. After HEAD the
 * connection can be used again, which Node's own client does not allow without a Content-Length; after GET it cannot,
 * because the body is left unread.
 *
 * @throws CannotTell `http_status` for an answer that is not HTTP.
 */
export async function requestHead(
  socket: TLSSocket,
  { method, endpoint, path }: Request,
  signal: AbortSignal,
): Promise<HttpHead> {
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `Host: ${formatEndpoint(endpoint).replace(/:443$/, '')}`,
    'User-Agent: eflow-hardening-agent',
    // From the origin: a cached answer proves nothing and carries an old date (RFC 9111, section 5.2.1.4).
    'Cache-Control: no-cache',
  ];
  signal.throwIfAborted();
  try {
    const answer = readHead(socket, signal);
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    return parseHead(await answer);
  } catch (cause) {
    signal.throwIfAborted();
    const why =
      cause instanceof Error && codeOf(cause) === undefined ? cause.message : describeTlsError(cause);
    throw new CannotTell('http_status', `${method} ${path} was not answered in HTTP (${why})`, { cause });
  }
}

/** The text up to the empty line. */
async function readHead(socket: TLSSocket, signal: AbortSignal): Promise<string> {
  const head = createHeadReader();
  let settle = () => {};
  try {
    return await new Promise<string>((resolve, reject) => {
      const onData = (chunk: Buffer) => {
        const text = head.read(chunk);
        if (text === undefined && !head.isTooLong()) return;
        // At once, so that nothing more is read.
        settle();
        if (text !== undefined) resolve(text);
        else reject(new Error(`its head has more than ${maxBytes} bytes`));
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

const [lineFeed, carriageReturn] = [0x0a, 0x0d];

/** Finds the end of a head, reading every byte once, however the answer is cut into chunks. */
function createHeadReader() {
  let bytes: number[] = [];
  let total = 0;
  let lineIsEmpty = true;
  return {
    isTooLong: () => total > maxBytes,
    /** The head once its empty line has come. */
    read(chunk: Buffer): string | undefined {
      for (const byte of chunk) {
        total += 1;
        if (total > maxBytes) return undefined;
        bytes.push(byte);
        if (byte === carriageReturn) continue;
        if (byte !== lineFeed) lineIsEmpty = false;
        else if (!lineIsEmpty) lineIsEmpty = true;
        else {
          const text = Buffer.from(bytes).toString('latin1');
          // RFC 9110, section 15.2: answers of class 1xx precede the one that counts.
          if (!/^HTTP\/1\.1 1\d\d/.test(text)) return text;
          bytes = [];
        }
      }
      return undefined;
    },
  };
}

/** The beginning of a foreign text for a message, without control characters. */
export const printable = (text: string, maxLength: number): string =>
  text.slice(0, maxLength).replace(/[^ -~]/g, '?');

function parseHead(text: string): HttpHead {
  const [first = '', ...lines] = text.split('\n').map((line) => line.trimEnd());
  const [, status] = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first) ?? [];
  if (status === undefined) throw new Error(`it began with "${printable(first, 20)}"`);
  const headers = lines.flatMap((line): [string, string][] => {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    return colon <= 0 || /\s/.test(name) ? [] : [[name.toLowerCase(), line.slice(colon + 1).trim()]];
  });
  return { status: Number(status), headers: new Map(headers) };
}

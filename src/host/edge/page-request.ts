import { request } from 'node:http';
import type { Socket } from 'node:net';
import { CannotTell } from '../../check.ts';
import { describeFailure } from '../../errors.ts';

/**
 * The body of the answer to one GET over an open connection, which is closed after it. Redirects are not followed.
 *
 * @throws CannotTell `unreadable` for anything but an answer 200 that is not compressed, of at most `maxBytes`.
 */
export function requestPage(
  { url, socket, maxBytes }: { readonly url: URL; readonly socket: Socket; readonly maxBytes: number },
  signal: AbortSignal,
): Promise<Buffer> {
  const what = `GET ${url.href}`;
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) => {
      socket.destroy();
      if (signal.aborted) reject(signal.reason);
      else if (cause instanceof CannotTell) reject(cause);
      else
        reject(new CannotTell('unreadable', describeFailure(`${what} was not answered`, cause), { cause }));
    };
    const refuse = (how: string) => fail(new CannotTell('unreadable', `${what} was answered ${how}`));
    const outgoing = request(url, {
      method: 'GET',
      headers: { Accept: 'text/plain;version=0.0.4' },
      createConnection: () => socket,
      signal,
    });
    outgoing.on('response', (response) => {
      const encoding = response.headers['content-encoding'] ?? 'identity';
      if (response.statusCode !== 200) return refuse(`${response.statusCode}`);
      if (encoding !== 'identity') return refuse('with a compressed page');
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > maxBytes) refuse(`with more than ${maxBytes} bytes`);
        else chunks.push(chunk);
      });
      response.on('end', () => resolve(Buffer.concat(chunks)));
      response.on('error', fail);
    });
    outgoing.on('error', fail);
    // Without a listener, Node.js closes such a connection without an error.
    outgoing.on('upgrade', () => refuse('with another protocol'));
    outgoing.end();
  });
}

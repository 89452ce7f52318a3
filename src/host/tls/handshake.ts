import { once } from 'node:events';
import { isIP, type Socket } from 'node:net';
import { connect, type SecureContext, type TLSSocket } from 'node:tls';
import { CannotTell } from '../../check.ts';
import { describeTlsError } from './tls-error.ts';

/**
 * Completes a TLS handshake with any certificate, which can be read and judged afterwards. The returned socket owns
 * `socket`.
 *
 * @throws CannotTell `tls_failed` when the handshake itself fails.
 */
export async function handshake(
  socket: Socket,
  host: string,
  secureContext: SecureContext,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const tls = connect({
    socket,
    secureContext,
    rejectUnauthorized: false,
    // An address is not a server name (RFC 6066, section 3).
    ...(isIP(host) === 0 && { servername: host }),
    checkServerIdentity: () => undefined,
  });
  // Stays for the life of the socket: a later error must not end the process.
  tls.on('error', () => undefined);
  try {
    await once(tls, 'secureConnect', { signal });
    return tls;
  } catch (cause) {
    tls.destroy();
    signal.throwIfAborted();
    throw new CannotTell('tls_failed', `The TLS handshake failed: ${describeTlsError(cause)}`, { cause });
  }
}

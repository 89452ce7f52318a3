import { once } from 'node:events';
import { isIP, type Socket } from 'node:net';
import { connect, type SecureContext, type TLSSocket } from 'node:tls';
import { CannotTell } from '../../check.ts';
import { tlsWords } from './tls-error.ts';

/**
 * Completes a TLS handshake whatever the certificate is worth, so that it can be read and judged afterwards.
 * `socket` lives and ends with what is returned.
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
    // RFC 6066, section 3: an address is no server name.
    ...(isIP(host) === 0 && { servername: host }),
    checkServerIdentity: () => undefined,
  });
  // Stays for the life of the socket: what happens to it after its use must not end the process.
  tls.on('error', () => undefined);
  try {
    await once(tls, 'secureConnect', { signal });
    return tls;
  } catch (cause) {
    tls.destroy();
    signal.throwIfAborted();
    throw new CannotTell('tls_failed', `The TLS handshake failed: ${tlsWords(cause)}`, { cause });
  }
}

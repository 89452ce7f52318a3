import { once } from 'node:events';
import { isIP, type Socket } from 'node:net';
import { connect, type SecureContext, type TLSSocket } from 'node:tls';
import { CannotTell } from '../check.ts';

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
    throw new CannotTell('tls_failed', `The TLS handshake failed: ${handshakeError(cause)}`, { cause });
  }
}

/** OpenSSL's reason, without its source file and line. */
function handshakeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : error.name;
  if (code === 'ECONNRESET') return 'the other side closed the connection (ECONNRESET)';
  const words = 'reason' in error ? String(error.reason) : error.message.split('\n')[0];
  return `${words} (${code})`;
}

import { once } from 'node:events';
import { isIP, type Socket } from 'node:net';
import {
  type ConnectionOptions,
  checkServerIdentity,
  connect,
  type PeerCertificate,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { CannotTell } from '../../check.ts';
import { describeTlsError } from './tls-error.ts';

interface Options {
  readonly host: string;
  readonly context: SecureContext;
  /**
   * Called once the server has presented its certificates, which can be read during the call. With TLS 1.2 that is before
   * the handshake may fail because the server demands a certificate of the client.
   */
  readonly onPresented?: ((socket: TLSSocket) => void) | undefined;
}

/** Whether an `authorizationError` means that the certificate verifies but does not name the host. */
export const isNameCode = (code: string): boolean => code.startsWith('ERR_TLS_CERT_ALTNAME_');

/**
 * Completes a TLS handshake with any certificate, which can be read and judged afterwards. The returned socket owns
 * `socket`, and is `authorized` when the certificate verifies and names `host`.
 *
 * @throws CannotTell `tls_failed` when the handshake itself fails.
 */
export async function handshake(
  socket: Socket,
  { host, context, onPresented }: Options,
  signal: AbortSignal,
): Promise<TLSSocket> {
  // Its type lacks the option that the documentation of the event OCSPResponse names.
  const options: ConnectionOptions & { readonly requestOCSP: boolean } = {
    socket,
    secureContext: context,
    rejectUnauthorized: false,
    // For the only event between the server's certificates and the end of the handshake; it needs no response.
    requestOCSP: onPresented !== undefined,
    // An address is not a server name (RFC 6066, section 3).
    ...(isIP(host) === 0 && { servername: host }),
    // Node.js passes the name it sends, which for an address is another. It has read the certificate here, which takes half a
    // millisecond.
    checkServerIdentity: (_, certificate) => nameFault(host, certificate),
  };
  const tls = connect(options);
  if (onPresented) tls.once('OCSPResponse', () => tryWith(tls, onPresented));
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

/** Why a certificate does not name a host. Never throws: the caller is an event handler of Node.js. */
export function nameFault(host: string, certificate: PeerCertificate): Error | undefined {
  try {
    return checkServerIdentity(host, certificate);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** An error would otherwise leave the event handler and end the process. */
function tryWith(tls: TLSSocket, use: (socket: TLSSocket) => void): void {
  try {
    use(tls);
  } catch (error) {
    tls.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

import { codeOf, openSslReason } from '../../errors.ts';

/**
 * A TLS error in words that stay the same from one attempt to the next. OpenSSL's own text starts with the address of a
 * thread and ends with a source file and line. Node has its reason separately only for a read, not when the same alert
 * arrives during a write (`write EPROTO 80…:error:0A00042E:SSL routines:…`).
 */
export function describeTlsError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = codeOf(error) ?? error.name;
  if (code === 'ECONNRESET') return 'the other side closed the connection (ECONNRESET)';
  const reason = 'reason' in error ? String(error.reason) : openSslReason(error);
  if (reason === undefined) return `${error.message.split('\n')[0]} (${code})`;
  // The code that Node derives from a reason.
  const known = code.startsWith('ERR_') ? code : `ERR_SSL_${reason.toUpperCase().replaceAll(' ', '_')}`;
  return `${reason} (${known})`;
}

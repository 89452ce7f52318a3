import { codeOf } from '../../errors.ts';
/**
 * An error of TLS in words that stay the same from one attempt to the next. OpenSSL's own text begins with the address
 * of a thread and ends in a source file and line; Node gives its reason apart only where it was reading, and not
 * where the same alert met it writing (`write EPROTO 80…:error:0A00042E:SSL routines:…`).
 */
export function tlsWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = codeOf(error) ?? error.name;
  if (code === 'ECONNRESET') return 'the other side closed the connection (ECONNRESET)';
  const reason = 'reason' in error ? String(error.reason) : inOpenSslText(error.message);
  if (reason === undefined) return `${error.message.split('\n')[0]} (${code})`;
  // The code that Node makes of a reason.
  const known = code.startsWith('ERR_') ? code : `ERR_SSL_${reason.toUpperCase().replaceAll(' ', '_')}`;
  return `${reason} (${known})`;
}

/** Of `thread:error:number:library:function:reason:file:line:data` the reason. */
const inOpenSslText = (message: string): string | undefined =>
  /\b[\dA-F]+:error:[\dA-F]+:[^:]*:[^:]*:([^:\n]+)/.exec(message)?.[1];

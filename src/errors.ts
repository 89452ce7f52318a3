import { getSystemErrorMap } from 'node:util';

const maxMessageLength = 2000;
const maxCauses = 8;

/** An error and its causes on one line of at most 2000 characters: what was attempted, then why it failed. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current = error;
  // Bounded, because causes can be circular.
  for (let depth = 0; current !== undefined && depth < maxCauses; depth += 1) {
    const words = current instanceof Error ? wordsOf(current, parts.join(': ')) : String(current);
    // Many errors already contain the message of their cause.
    if (words !== '' && !parts.some((part) => part.includes(words))) parts.push(words);
    current = current instanceof Error ? current.cause : undefined;
  }
  if (parts.length === 0) parts.push(error instanceof Error ? error.name : 'unknown error');
  return parts.join(': ').replaceAll(/\s+/g, ' ').slice(0, maxMessageLength);
}

/** What was attempted, then why it failed, as {@link describeError} writes both. */
export const describeFailure = (attempt: string, cause: unknown): string =>
  describeError(new Error(attempt, { cause }));

/** The code of a system, resolver or Node.js error, such as `ENOENT`; undefined if it has none. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && error.code !== undefined ? String(error.code) : undefined;

/** The reason in OpenSSL's text, `thread:error:number:library:function:reason:file:line:data`. */
export const openSslReason = ({ message }: Error): string | undefined =>
  /\b[\dA-F]+:error:[\dA-F]+:[^:]*:[^:]*:([^:\n]+)/.exec(message)?.[1];

/** By code: the system's words, and those for name servers (getaddrinfo and c-ares). */
const systemWords: ReadonlyMap<string, string> = new Map([
  ...getSystemErrorMap().values(),
  ['ENOTFOUND', 'no such host name'],
  ['EAI_AGAIN', 'no name server answered'],
  ['EREFUSED', 'the name server refused to answer'],
  ['ESERVFAIL', 'the name server failed'],
  ['ETIMEOUT', 'the name server did not answer'],
]);

/** What an error adds to the sentences before it. Empty where they have said it. */
function wordsOf(error: Error, said: string): string {
  const { message } = error;
  const reason = openSslReason(error);
  if (reason !== undefined) return reason;
  if (isJsonError(error)) return jsonWords(message, said);
  const code = codeOf(error) ?? '';
  if (said !== '' && /^E(?!RR_)[A-Z0-9_]+$/.test(code)) {
    if (new RegExp(`\\b${code}\\b`).test(said)) return '';
    // Otherwise Node.js has found its own words, as for a socket that hangs up.
    if ('syscall' in error || message.startsWith(code)) return systemErrorWords(error, code, said);
  }
  if (message === '' && error instanceof AggregateError) return alternatives(error.errors, said);
  return message;
}

/** An error of a system call or of the resolver: its message has the code, the call and its arguments. */
interface SystemError extends Error {
  readonly syscall?: string;
  readonly path?: string;
  readonly dest?: string;
  readonly hostname?: string;
  readonly address?: string;
  readonly port?: number;
}

/** The words for the code, and what the call was for unless the sentences before name it. */
function systemErrorWords(error: SystemError, code: string, said: string): string {
  const words = systemWords.get(code) ?? code;
  if (said.includes(words)) return '';
  const { path, dest, hostname, address, port = -1 } = error;
  const listens = /^(listen|bind)$/.test(error.syscall ?? '');
  const names = [path, dest, hostname, address, listens ? String(port) : undefined];
  const host = address?.includes(':') ? `[${address}]` : address;
  const from = path ?? hostname ?? (host === undefined || port <= 0 ? host : `${host}:${port}`);
  if (from === undefined || names.some((name) => name !== undefined && mentions(said, name))) return words;
  return `${words} (${from}${dest === undefined ? '' : `, ${dest}`})`;
}

/** Whether a text has a name that is not part of a longer one, such as 10.0.0.1 in 10.0.0.10. */
function mentions(text: string, name: string): boolean {
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    if (!/\w/.test(text[at - 1] ?? '') && !/[\w/]/.test(text[at + name.length] ?? '')) return true;
  }
  return false;
}

/** V8's errors, which quote the text: it may be foreign, and secret. */
const isJsonError = ({ name, message }: Error): boolean =>
  name === 'SyntaxError' && /\bJSON input$| is not valid JSON$| JSON at position \d/.test(message);

function jsonWords(message: string, said: string): string {
  const [, position] = /at position (\d+)/.exec(message) ?? [];
  const where = position === undefined ? '' : `at character ${Number(position) + 1}`;
  return /\bJSON\b/.test(said) ? where : `not valid JSON ${where}`.trim();
}

/** The errors of several attempts, such as one for each address of a name. */
const alternatives = (errors: readonly unknown[], said: string): string =>
  [
    ...new Set(
      errors.slice(0, maxCauses).map((each) => (each instanceof Error ? wordsOf(each, said) : String(each))),
    ),
  ]
    .filter((words) => words !== '')
    .join('; ');

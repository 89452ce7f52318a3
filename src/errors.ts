const maxMessageLength = 2000;
const maxCauses = 8;

/** An error and its causes on one line of at most 2000 characters: what was attempted, then why it failed. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current = error;
  // Bounded, because causes can be circular.
  for (let depth = 0; current !== undefined && depth < maxCauses; depth += 1) {
    const message = current instanceof Error ? current.message : String(current);
    // Many errors already contain the message of their cause; some, such as AggregateError, have none.
    if (message !== '' && !parts.some((part) => part.includes(message))) parts.push(message);
    current = current instanceof Error ? current.cause : undefined;
  }
  if (parts.length === 0) parts.push(error instanceof Error ? error.name : 'unknown error');
  return parts.join(': ').replaceAll(/\s+/g, ' ').slice(0, maxMessageLength);
}

/** The code of a system, resolver or Node.js error, such as `ENOENT`; undefined if it has none. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && error.code !== undefined ? String(error.code) : undefined;

const longestMessage = 2000;
const deepestCause = 8;

/** An error and its causes on one line: what was attempted, then why it failed. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let at = error;
  // Bounded by depth: causes can go round in a circle.
  for (let depth = 0; at !== undefined && depth < deepestCause; depth += 1) {
    const message = at instanceof Error ? at.message : String(at);
    // Many errors already quote their cause, and an AggregateError says nothing of its own.
    if (message !== '' && !parts.some((part) => part.includes(message))) parts.push(message);
    at = at instanceof Error ? at.cause : undefined;
  }
  if (parts.length === 0) parts.push(error instanceof Error ? error.name : 'an error that says nothing');
  return parts.join(': ').replaceAll(/\s+/g, ' ').slice(0, longestMessage);
}

/** The code of a system's, a resolver's or Node.js's own error, `ENOENT` for instance; undefined where there is none. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error ? String(error.code) : undefined;

const longestMessage = 2000;

/** An error and its causes on one line: what was attempted, then why it failed. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  for (let at: unknown = error; at !== undefined && parts.length < 8; ) {
    const message = at instanceof Error ? at.message || at.name : String(at);
    // Many errors already quote their cause.
    if (!parts.some((part) => part.includes(message))) parts.push(message);
    at = at instanceof Error ? at.cause : undefined;
  }
  return parts.join(': ').replaceAll(/\s+/g, ' ').slice(0, longestMessage);
}

/**
 * Parses JSON that may hold line and block comments, and a byte order mark, which editors on Windows put first. Throws
 * a SyntaxError as JSON.parse does, with line and column wherever that tells a position.
 */
export function parseJsonc(text: string): unknown {
  // A string, which is kept, or a comment, which leaves its line breaks so that error positions stay right.
  const stringOrComment = /("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  const bare = text
    .replace(/^\uFEFF/, '')
    .replace(stringOrComment, (match, string?: string) => string ?? match.replaceAll(/[^\n]/g, ' '));
  try {
    return JSON.parse(bare);
  } catch (error) {
    throw error instanceof SyntaxError ? withLine(error, bare) : error;
  }
}

/** Node.js says it itself from version 22 on. */
function withLine(error: SyntaxError, text: string): SyntaxError {
  const [, position] = /at position (\d+)$/.exec(error.message) ?? [];
  if (position === undefined) return error;
  const lines = text.slice(0, Number(position)).split('\n');
  const column = (lines.at(-1) ?? '').length + 1;
  return new SyntaxError(`${error.message} (line ${lines.length} column ${column})`, { cause: error });
}

/** Parses JSON that may hold line and block comments. Throws a SyntaxError as JSON.parse does. */
export function parseJsonc(text: string): unknown {
  // A string, which is kept, or a comment, which leaves its line breaks so that error positions stay right.
  const stringOrComment = /("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  const bare = text.replace(
    stringOrComment,
    (match, string?: string) => string ?? match.replaceAll(/[^\n]/g, ' '),
  );
  return JSON.parse(bare);
}

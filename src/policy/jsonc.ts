import { type ParseError, parse, printParseErrorCode, stripComments } from 'jsonc-parser';

/**
 * Parses JSON with line and block comments, and a byte order mark, which editors on Windows write.
 *
 * @throws SyntaxError that names the line, the column and what is wrong there.
 */
export function parseJsonc(text: string): unknown {
  const bare = text.replace(/^\uFEFF/, '');
  try {
    // Not jsonc-parser's own values: it takes a key `__proto__` for the prototype.
    return JSON.parse(stripComments(bare, ' '));
  } catch {
    throw new SyntaxError(problemIn(bare));
  }
}

function problemIn(text: string): string {
  const errors: ParseError[] = [];
  try {
    parse(text, errors, { disallowComments: false, allowTrailingComma: false });
  } catch (error) {
    if (error instanceof RangeError) return 'not JSON: nested too deeply';
    throw error;
  }
  const [first] = errors;
  if (!first) return 'not JSON';
  const lines = text.slice(0, first.offset).split('\n');
  const column = (lines.at(-1) ?? '').length + 1;
  // `CommaExpected` becomes `comma expected`.
  const words = printParseErrorCode(first.error)
    .replaceAll(/\B[A-Z]/g, (letter) => ` ${letter}`)
    .toLowerCase();
  return `not JSON: line ${lines.length}, column ${column}: ${words}`;
}

/**
 * Breaks a text into lines of at most `width` characters. A command between backticks stays whole, so that it can be copied.
 */
export function wrap(text: string, width: number): string[] {
  const words = text.match(/(?:[^\s`]|`[^`]*`|`)+/g) ?? [];
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/**
 * Breaks a text into lines of at most `width` characters, the first after `first` characters that are there already.
 * A command between backticks stays whole, so that it can be copied.
 */
export function wrap(text: string, width: number, first = 0): string[] {
  const words = text.match(/(?:[^\s`]|`[^`]*`|`)+/g) ?? [];
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    const room = width - (lines.length === 0 ? first : 0);
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** The positions of the offsets of a text: `line 3, column 5`, both from 1; a column is a UTF-16 unit. */
export function positionsIn(text: string): (offset: number) => string {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let [line, last] = [0, starts.length - 1];
    while (line < last) {
      const middle = Math.ceil((line + last) / 2);
      if ((starts[middle] ?? 0) <= offset) line = middle;
      else last = middle - 1;
    }
    return `line ${line + 1}, column ${offset - (starts[line] ?? 0) + 1}`;
  };
}

/** The position of one offset. */
export const position = (text: string, offset: number): string => positionsIn(text)(offset);

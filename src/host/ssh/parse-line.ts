/** A line of sshd_config, or what sshd refuses it for. */
export type Line =
  | { readonly keyword: string; readonly values: readonly string[] }
  | { readonly problem: string };

/**
 * Splits a line as sshd does (OpenSSH, misc.c: strdelim and argv_split): a keyword, blanks or one `=`, then words, quoted or
 * not; `#` starts a comment. Undefined for a line without a directive.
 */
export function parseLine(text: string): Line | undefined {
  const line = text.replace(/[ \t\r\f]+$/, '').replace(/^[ \t\r\f]+/, '');
  if (line === '' || line.startsWith('#')) return undefined;
  const end = line.search(/[ \t="]/);
  const keyword = (end < 0 ? line : line.slice(0, end)).toLowerCase();
  const rest = end < 0 ? '' : line.slice(end).replace(/^[ \t]*=?[ \t]*/, '');
  const values = wordsOf(rest);
  return values === undefined ? { problem: 'invalid quotes' } : { keyword, values };
}

/** Words between blanks; undefined where a quote is not closed. */
function wordsOf(text: string): readonly string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i] ?? '';
    if (quote === '' && (char === ' ' || char === '\t')) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (quote === '' && char === '#' && word === undefined) {
      break;
    } else if (quote === '' && (char === '"' || char === "'")) {
      quote = char;
      word ??= '';
    } else if (char === quote) {
      quote = '';
    } else {
      const escaped = char === '\\' && /["'\\ ]/.test(text[i + 1] ?? '');
      if (escaped) i += 1;
      word = (word ?? '') + (escaped ? (text[i] ?? '') : char);
    }
  }
  if (quote !== '') return undefined;
  if (word !== undefined) words.push(word);
  return words;
}

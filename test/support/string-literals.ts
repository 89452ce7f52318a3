import { transform } from 'esbuild';

/** The texts of all string and template literals of a TypeScript source, with `…` for what is inserted. */
export async function stringLiterals(source: string): Promise<string[]> {
  // Without types and comments, so that a quote in them is no literal.
  const { code } = await transform(source, { loader: 'ts', legalComments: 'none', minifyWhitespace: true });
  const texts: string[] = [];
  scan(code, 0, texts);
  return texts;
}

/** Scans up to the brace that ends an insertion, or to the end. Returns where it stopped. */
function scan(code: string, from: number, texts: string[]): number {
  let depth = 0;
  let last = '';
  for (let i = from; i < code.length; i += 1) {
    const character = code.charAt(i);
    if (character === '`') i = template(code, i + 1, texts);
    else if (character === '"' || character === "'") i = quoted(code, i, texts);
    else if (character === '/' && '(,=:[!&|?{};>'.includes(last)) i = regularExpression(code, i + 1);
    else if (character === '{') depth += 1;
    else if (character === '}') {
      if (depth === 0) return i;
      depth -= 1;
    }
    if (/\S/.test(character)) last = character;
  }
  return code.length;
}

function template(code: string, from: number, texts: string[]): number {
  let text = '';
  for (let i = from; i < code.length; i += 1) {
    if (code[i] === '\\') {
      i += 1;
      text += code[i] === 'n' ? '\n' : code[i];
    } else if (code.startsWith('${', i)) {
      i = scan(code, i + 2, texts);
      text += '…';
    } else if (code[i] === '`') {
      texts.push(text);
      return i;
    } else text += code[i];
  }
  throw new Error('A template literal has no end');
}

function quoted(code: string, from: number, texts: string[]): number {
  let end = from + 1;
  while (end < code.length && code[end] !== code[from]) end += code[end] === '\\' ? 2 : 1;
  texts.push(code.slice(from + 1, end).replaceAll(/\\(.)/g, '$1'));
  return end;
}

function regularExpression(code: string, from: number): number {
  let inClass = false;
  for (let i = from; i < code.length; i += 1) {
    if (code[i] === '\\') i += 1;
    else if (code[i] === '[') inClass = true;
    else if (code[i] === ']') inClass = false;
    else if (code[i] === '/' && !inClass) return i;
  }
  throw new Error('A regular expression has no end');
}

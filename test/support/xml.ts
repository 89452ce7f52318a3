/** The reasons why a document is not well-formed XML, for the part of XML 1.0 that JUnit files use. */
export function xmlProblems(document: string): string[] {
  const problems: string[] = [];
  const open: string[] = [];
  let roots = 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern searches for control characters.
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(document))
    problems.push('a control character');
  const body = document.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, '');
  if (body === document) problems.push('no declaration');

  const text = '[^<&]|&(?:amp|lt|gt|quot|#39);';
  const tag = new RegExp(`<(/?)([\\w-]+)((?: [\\w-]+="(?:${text})*?")*)(/?)>|(?:${text})+?(?=<|$)|[^]`, 'gy');
  for (const [match, closing, name, attributes = '', empty] of body.matchAll(tag)) {
    if (name === undefined) {
      const inside = open.length > 0;
      if (match === '<' || match === '&') problems.push(`a bare ${match}`);
      else if (!inside && match.trim() !== '') problems.push(`text outside of the root: ${match}`);
      continue;
    }
    const names = [...attributes.matchAll(/ ([\w-]+)=/g)].map(([, each]) => each);
    if (new Set(names).size < names.length) problems.push(`an attribute twice in ${match}`);
    if (closing) {
      const expected = open.pop();
      if (expected !== name) problems.push(`</${name}> where </${expected}> belongs`);
    } else {
      if (open.length === 0) roots += 1;
      if (!empty) open.push(name);
    }
  }
  if (open.length > 0) problems.push(`never closed: ${open.join(', ')}`);
  if (roots !== 1) problems.push(`${roots} roots`);
  return problems;
}

/** A text as one word of a POSIX shell command: as it is where that is safe, otherwise in single quotes. */
export const shellQuote = (text: string): string =>
  /^[\w./:%+=@~-]+$/.test(text) && !text.startsWith('~') ? text : `'${text.replaceAll("'", "'\\''")}'`;

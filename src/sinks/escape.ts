const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Escapes text for HTML or XML, between tags or in a quoted attribute. */
export const escapeMarkup = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');

/**
 * Replaces control characters by blanks. Text from outside, such as a certificate's subject, must not control a terminal
 * or end a line of metrics, as a carriage return does for Azure's metrics-collector.
 */
export const oneLine = (text: string): string => text.replaceAll(controlCharacters, ' ');

// biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern finds control characters.
const controlCharacters = /[\u0000-\u001f\u007f-\u009f]+/g;

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for HTML or XML, between tags or in a quoted attribute. */
export const escapeMarkup = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');

/**
 * Text without control characters: a certificate's subject, which is its maker's choice, shall neither steer a
 * terminal nor end a line of metrics, as a carriage return does for Azure's metrics-collector.
 */
export const oneLine = (text: string): string => text.replaceAll(controlCharacters, ' ');

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced.
const controlCharacters = /[\u0000-\u001f\u007f-\u009f]+/g;

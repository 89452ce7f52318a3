const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * Escapes text for HTML or XML, between tags or in a quoted attribute. Replaces invisible characters by blanks, but for
 * line breaks.
 */
export const escapeMarkup = (text: string): string =>
  text
    .replaceAll(invisible, (characters) => (/^[\t\n\r]+$/.test(characters) ? characters : ' '))
    .replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');

/**
 * Replaces invisible characters by blanks. Text from outside, such as a certificate's subject, must not control a
 * terminal, end a line of metrics, as a carriage return does for Azure's metrics-collector, or change the direction of
 * the text around it.
 */
export const oneLine = (text: string): string => text.replaceAll(invisible, ' ');

/** Control characters, and those that change the direction of text. */
const invisible = /[\p{Cc}\p{Bidi_Control}]+/gu;

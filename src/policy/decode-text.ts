import { isUtf8 } from 'node:buffer';
import { position } from './positions.ts';

/**
 * The text of a file.
 *
 * @throws SyntaxError for bytes that are not UTF-8.
 */
export function decodeText(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const hasMark = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  // JSON begins with an ASCII character, of which one byte is zero in UTF-16.
  if (hasMark || (bytes.length > 1 && (first === 0) !== (second === 0))) {
    throw new SyntaxError('the text is UTF-16; save it as UTF-8');
  }
  if (isUtf8(bytes)) return Buffer.from(bytes).toString();
  const valid = validPrefix(bytes);
  const where = position(valid, valid.length);
  throw new SyntaxError(
    `${where}: byte ${Buffer.byteLength(valid) + 1} is not UTF-8; save the text as UTF-8`,
  );
}

/** The text before the first byte that is not UTF-8. */
function validPrefix(bytes: Uint8Array): string {
  // In a stream, a character may be incomplete at the end.
  const decode = (length: number) =>
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, length), {
      stream: true,
    });
  let [valid, invalid] = [0, bytes.length + 1];
  while (invalid - valid > 1) {
    const middle = Math.floor((valid + invalid) / 2);
    try {
      decode(middle);
      valid = middle;
    } catch {
      invalid = middle;
    }
  }
  return decode(valid);
}

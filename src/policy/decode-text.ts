import { isUtf8 } from 'node:buffer';
import { position } from './positions.ts';

/** Of a policy file, far above what a policy needs. */
export const maxPolicyBytes = 1_048_576;

/**
 * The text of a policy file.
 *
 * @throws SyntaxError for bytes that are too many or not UTF-8.
 */
export function decodeText(bytes: Uint8Array): string {
  if (bytes.length > maxPolicyBytes) throw new SyntaxError('it is larger than 1 MiB, the limit for a policy');
  if (utf16.test(Buffer.from(bytes.subarray(0, 4)).toString('latin1')))
    throw new SyntaxError('the text is UTF-16; save it as UTF-8');
  const zero = bytes.indexOf(0);
  if (zero >= 0) throw new SyntaxError(`this is not text: byte ${zero + 1} is zero`);
  if (isUtf8(bytes)) return Buffer.from(bytes).toString();
  const valid = validPrefix(bytes);
  const where = position(valid, valid.length);
  throw new SyntaxError(
    `${where}: byte ${Buffer.byteLength(valid) + 1} is not UTF-8; save the text as UTF-8`,
  );
}

// A byte order mark, or two ASCII characters, with which every policy of more than one begins.
const utf16 = /^(?:\xff\xfe|\xfe\xff|(?:[\t\n\r -~]\0){1,2}$|(?:\0[\t\n\r -~]){1,2}$)/;

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

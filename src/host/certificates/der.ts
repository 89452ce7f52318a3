/** One element of DER (ITU-T X.690): its identifier octet and its contents. */
export interface Der {
  readonly tag: number;
  readonly content: Buffer;
}

/** Identifier octets of the universal types that certificates use (X.690, 8.1.2; X.680, 8.6). */
export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  octetString: 0x04,
  oid: 0x06,
  sequence: 0x30,
} as const;

/**
 * The consecutive elements of a piece of DER, as far as certificates use it: definite lengths and tag numbers below 31
 * (X.690, 8.1.2 and 8.1.3).
 *
 * @throws RangeError for anything else, and for an element that extends beyond the end.
 */
export function derElements(bytes: Buffer): readonly Der[] {
  const elements: Der[] = [];
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes.readUInt8(at);
    if ((tag & 0x1f) === 0x1f) throw new RangeError('a tag number above 30');
    const first = bytes.readUInt8(at + 1);
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    if (first === 0x80 || lengthBytes > 4) throw new RangeError('a length that is indefinite or too long');
    const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
    const start = at + 2 + lengthBytes;
    at = start + length;
    if (at > bytes.length) throw new RangeError('an element that is cut off');
    elements.push({ tag, content: bytes.subarray(start, at) });
  }
  return elements;
}

/** An object identifier in its dotted form (X.690, 8.19). */
export function dottedOid(content: Buffer): string {
  const arcs: number[] = [];
  let value = 0;
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      arcs.push(value);
      value = 0;
    }
  }
  const [first = 0, ...rest] = arcs;
  const top = Math.min(Math.floor(first / 40), 2);
  return [top, first - top * 40, ...rest].join('.');
}

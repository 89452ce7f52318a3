import { type Der, derElements, derTag, dottedOid } from './der.ts';

/** The parts of a certificate that are used here (RFC 5280, section 4.1). */
export interface ParsedCertificate {
  readonly version: number;
  /** Hexadecimal. */
  readonly serialNumber: string;
  /** The algorithm that signed it. */
  readonly signatureAlgorithm: Der;
  readonly issuer: Der;
  readonly subject: Der;
  readonly extensions: readonly Extension[];
}

interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  /** The element inside the octet string. */
  readonly value: Der;
}

/**
 * Parses the DER of a certificate.
 *
 * @throws RangeError for bytes of another form.
 */
export function parseCertificate(der: Buffer): ParsedCertificate {
  const [certificate] = derElements(der);
  const [toBeSigned, signatureAlgorithm] = certificate ? derElements(certificate.content) : [];
  const fields = toBeSigned ? [...derElements(toBeSigned.content)] : [];
  const version = fields[0]?.tag === 0xa0 ? fields.shift() : undefined;
  const [serial, , issuer, , subject, , ...optional] = fields;
  if (!signatureAlgorithm || !serial || !issuer || !subject) throw new RangeError('a field is missing');
  const [number] = version ? derElements(version.content) : [];
  const wrapped = optional.find(({ tag }) => tag === 0xa3);
  const [list] = wrapped ? derElements(wrapped.content) : [];
  return {
    version: (number?.content[0] ?? 0) + 1,
    serialNumber: serial.content.toString('hex'),
    signatureAlgorithm,
    issuer,
    subject,
    extensions: list ? derElements(list.content).flatMap(parseExtension) : [],
  };
}

function parseExtension({ content }: Der): Extension[] {
  const parts = derElements(content);
  const oid = parts.find(({ tag }) => tag === derTag.oid);
  const octets = parts.find(({ tag }) => tag === derTag.octetString);
  if (!oid || !octets) return [];
  const critical = parts.some(({ tag, content: value }) => tag === derTag.boolean && value[0] !== 0);
  // An extension that is not supported need not contain DER.
  const value = firstElement(octets.content) ?? { tag: 0, content: Buffer.alloc(0) };
  return [{ oid: dottedOid(oid.content), critical, value }];
}

function firstElement(bytes: Buffer): Der | undefined {
  try {
    return derElements(bytes)[0];
  } catch {
    return undefined;
  }
}

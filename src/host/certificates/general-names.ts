import { type Der, derElements, derTag, dottedOid } from './der.ts';
import type { GeneralName, NameConstraints } from './types.ts';

/** RFC 5280, section 4.2.1.6, by the number of the context-specific tag. */
const kinds = ['other', 'email', 'dns', 'other', 'directory', 'other', 'uri', 'ip', 'other'] as const;

/** The tag of an otherName, whose type is an object identifier. */
const otherName = 0xa0;

/** One GeneralName. */
export function generalName({ tag, content }: Der): GeneralName {
  const kind = kinds[tag & 0x1f] ?? 'other';
  switch (kind) {
    case 'ip':
      return { kind, value: content.toString('hex') };
    case 'directory':
      return { kind, value: canonicalName(derElements(content)[0]) };
    case 'other':
      return { kind, value: tag === otherName ? firstOid(content) : String(tag & 0x1f) };
    default:
      return { kind, value: content.toString('latin1') };
  }
}

/** RFC 5280, section 4.2.1.10. */
export function nameConstraints({ content }: Der): NameConstraints {
  const parts = derElements(content);
  const subtrees = (tag: number) => {
    const list = parts.find((part) => part.tag === tag);
    return (list ? derElements(list.content) : []).flatMap((subtree) => {
      const [base] = derElements(subtree.content);
      return base ? [generalName(base)] : [];
    });
  };
  return { permitted: subtrees(0xa0), excluded: subtrees(0xa1) };
}

/**
 * A distinguished name in a form in which equal names are equal and a name begins with those above it: an RDN a line, as
 * OpenSSL compares them (X509_NAME_cmp(3)), without regard to case, string type and the amount of white space.
 */
export const canonicalName = (name: Der | undefined): string =>
  (name ? derElements(name.content) : [])
    .map((rdn) => `${attributes(rdn).map(shown).sort().join('+')}\n`)
    .join('');

/** The values of a name's attributes of one type, as text. */
export const attributeValues = (name: Der, oid: string): readonly string[] =>
  derElements(name.content)
    .flatMap(attributes)
    .flatMap(([type, value]) => (type === oid && value ? [text(value)] : []));

type Attribute = readonly [oid: string, value: Der | undefined];

const attributes = (rdn: Der): Attribute[] =>
  derElements(rdn.content).map(({ content }) => {
    const [type, value] = derElements(content);
    return [type ? dottedOid(type.content) : '', value];
  });

const shown = ([oid, value]: Attribute): string =>
  `${oid}=${value ? text(value).trim().replaceAll(/\s+/g, ' ').toLowerCase() : ''}`;

/** BMPString, UniversalString; the others are UTF-8 or a subset of Latin-1. */
function text({ tag, content }: Der): string {
  if (tag === 0x0c) return content.toString('utf8');
  if (tag === 0x1e && content.length % 2 === 0) return Buffer.from(content).swap16().toString('utf16le');
  if (tag === 0x1c) return Buffer.from(content.filter((byte) => byte !== 0)).toString('latin1');
  return content.toString('latin1');
}

function firstOid(content: Buffer): string {
  const [first] = derElements(content);
  return first?.tag === derTag.oid ? dottedOid(first.content) : '';
}

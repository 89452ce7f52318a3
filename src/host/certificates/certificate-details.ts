import { type Der, derElements, derTag, dottedOid } from './der.ts';
import type { CertificateDetails } from './types.ts';

/** RFC 5280, section 4.2.1.3, by bit. */
const keyUsages = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
];

/** Hashes of signature algorithms: RFC 8017 appendix A.2, RFC 3279, RFC 5758. */
const signatureHashes: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.2': 'MD2',
  '1.2.840.113549.1.1.4': 'MD5',
  '1.2.840.113549.1.1.5': 'SHA-1',
  '1.2.840.113549.1.1.14': 'SHA-224',
  '1.2.840.113549.1.1.11': 'SHA-256',
  '1.2.840.113549.1.1.12': 'SHA-384',
  '1.2.840.113549.1.1.13': 'SHA-512',
  '1.2.840.10045.4.1': 'SHA-1',
  '1.2.840.10045.4.3.1': 'SHA-224',
  '1.2.840.10045.4.3.2': 'SHA-256',
  '1.2.840.10045.4.3.3': 'SHA-384',
  '1.2.840.10045.4.3.4': 'SHA-512',
  '1.2.840.10040.4.3': 'SHA-1',
  '1.3.14.3.2.29': 'SHA-1',
};

/** By the hash's own identifier, which RSASSA-PSS names separately. */
const hashes: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.5': 'MD5',
  '1.3.14.3.2.26': 'SHA-1',
  '2.16.840.1.101.3.4.2.4': 'SHA-224',
  '2.16.840.1.101.3.4.2.1': 'SHA-256',
  '2.16.840.1.101.3.4.2.2': 'SHA-384',
  '2.16.840.1.101.3.4.2.3': 'SHA-512',
};

const rsassaPss = '1.2.840.113549.1.1.10';

/**
 * What `X509Certificate` does not expose, from the DER of a certificate (RFC 5280, section 4.1): its `ca` is false also for a
 * CA whose key usage forbids signing, and Node.js 20 has neither key usage, path length nor signature algorithm.
 * Undefined for bytes of another form.
 */
export function certificateDetails(der: Buffer): CertificateDetails | undefined {
  try {
    const [certificate] = derElements(der);
    const [toBeSigned, algorithm] = certificate ? derElements(certificate.content) : [];
    if (!toBeSigned || !algorithm) return undefined;
    const wrapped = derElements(toBeSigned.content).find(({ tag }) => tag === 0xa3);
    const [list] = wrapped ? derElements(wrapped.content) : [];
    return { ...extensions(list), ...signatureHash(algorithm) };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function extensions(list: Der | undefined): CertificateDetails {
  let found: CertificateDetails = { isCa: false };
  for (const { content } of list ? derElements(list.content) : []) {
    const parts = derElements(content);
    const oid = parts.find(({ tag }) => tag === derTag.oid);
    const value = parts.find(({ tag }) => tag === derTag.octetString);
    const [inner] = value ? derElements(value.content) : [];
    if (!oid || !inner) continue;
    switch (dottedOid(oid.content)) {
      case '2.5.29.15':
        found = { ...found, keyUsage: keyUsage(inner) };
        break;
      case '2.5.29.19':
        found = { ...found, ...basicConstraints(inner) };
        break;
      case '2.5.29.37':
        found = {
          ...found,
          extendedKeyUsage: derElements(inner.content).map((each) => dottedOid(each.content)),
        };
        break;
    }
  }
  return found;
}

/** RFC 5280, section 4.2.1.3: a bit string whose first octet counts the unused bits. */
const keyUsage = ({ content }: Der): readonly string[] =>
  keyUsages.filter((_, bit) => ((content[1 + (bit >> 3)] ?? 0) & (0x80 >> (bit & 7))) !== 0);

/** RFC 5280, section 4.2.1.9. */
function basicConstraints({ content }: Der): Pick<CertificateDetails, 'isCa' | 'pathLength'> {
  const parts = derElements(content);
  const isCa = parts.some((part) => part.tag === derTag.boolean && part.content[0] !== 0);
  const length = parts.find(({ tag }) => tag === derTag.integer)?.content;
  // No chain is longer than one octet allows; a longer length does not limit.
  return isCa && length?.length === 1 ? { isCa, pathLength: length.readUInt8() } : { isCa };
}

function signatureHash({ content }: Der): Pick<CertificateDetails, 'signatureHash'> {
  const [oid, parameters] = derElements(content);
  const algorithm = oid ? dottedOid(oid.content) : '';
  const hash = algorithm === rsassaPss ? pssHash(parameters) : signatureHashes[algorithm];
  return hash === undefined ? {} : { signatureHash: hash };
}

/** RFC 8017, appendix A.2.3: SHA-1 where no hash is named. */
function pssHash(parameters: Der | undefined): string | undefined {
  const named = parameters && derElements(parameters.content).find(({ tag }) => tag === 0xa0);
  if (!named) return 'SHA-1';
  const [algorithm] = derElements(named.content);
  const [oid] = algorithm ? derElements(algorithm.content) : [];
  return oid && hashes[dottedOid(oid.content)];
}

import { type Der, derElements, derTag, dottedOid } from './der.ts';
import { attributeValues, canonicalName, generalName, nameConstraints } from './general-names.ts';
import type { ParsedCertificate } from './parsed-certificate.ts';
import type { CertificateDetails, GeneralName } from './types.ts';

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

/** The critical extensions that OpenSSL 3 processes (X509_supported_extension(3)); it rejects a certificate with another. */
const supportedExtensions: readonly string[] = [
  '2.16.840.1.113730.1.1',
  ...['15', '17', '19', '30', '31', '32', '33', '36', '37', '54'].map((arc) => `2.5.29.${arc}`),
  ...['1.7', '1.8', '1.14', '48.1.5'].map((arcs) => `1.3.6.1.5.5.7.${arcs}`),
];

/**
 * What `X509Certificate` does not expose, from the DER of a certificate: its `ca` is false also for a CA whose key usage
 * forbids signing, and Node.js 20 has neither key usage, path length nor signature algorithm.
 *
 * @throws RangeError for malformed DER.
 */
export function certificateDetails(parsed: ParsedCertificate): CertificateDetails {
  const { extensions, version } = parsed;
  const value = (oid: string) => extensions.find((each) => each.oid === oid)?.value;
  const [usage, constraints, extended, names] = ['15', '19', '37', '30'].map((arc) => value(`2.5.29.${arc}`));
  const used = usage && { keyUsage: keyUsage(usage) };
  const unsupported = extensions.filter(
    ({ oid, critical }) => critical && !supportedExtensions.includes(oid),
  );
  const legacy = !constraints && (version === 1 || used?.keyUsage.includes('keyCertSign') === true);
  return {
    ...(constraints ? basicConstraints(constraints) : { isCa: false }),
    ...(legacy && { isLegacyCa: true }),
    ...used,
    ...(extended && { extendedKeyUsage: oids(extended) }),
    ...(unsupported.length > 0 && { unsupportedCritical: unsupported.map(({ oid }) => oid) }),
    ...(names && { nameConstraints: nameConstraints(names) }),
    ...signatureHash(parsed.signatureAlgorithm),
  };
}

/** A certificate's names, as far as name constraints apply to them (RFC 5280, section 4.2.1.10). */
export function constrainedNames({ subject, extensions }: ParsedCertificate): readonly GeneralName[] {
  const alternative = extensions.find(({ oid }) => oid === '2.5.29.17')?.value;
  const names = alternative ? derElements(alternative.content).map(generalName) : [];
  const emails = attributeValues(subject, '1.2.840.113549.1.9.1').map((value) => ({
    kind: 'email' as const,
    value,
  }));
  // Clients that find no DNS name take the common name for one.
  const hosts = names.some(({ kind }) => kind === 'dns') ? [] : attributeValues(subject, '2.5.4.3');
  const directory = canonicalName(subject);
  return [
    ...(directory === '' ? [] : [{ kind: 'directory' as const, value: directory }]),
    ...emails,
    ...hosts.filter((host) => isDnsName.test(host)).map((value) => ({ kind: 'dns' as const, value })),
    ...names,
  ];
}

/** As OpenSSL has it: at least one dot, and none of them beside another or beside a hyphen. */
const isDnsName = /^(?=.*\.)[a-z0-9_]+(?:(?:-+|\.)[a-z0-9_]+)*$/i;

const oids = ({ content }: Der): readonly string[] =>
  derElements(content).map((each) => dottedOid(each.content));

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

import type { Certificate, PresentedChain } from '../../src/host/certificates/types.ts';

/** A valid certificate, except for the fields that the test overrides. */
export const certificateWith = (
  fields: Partial<Certificate> & Pick<Certificate, 'subject'>,
): Certificate => ({
  issuer: 'CN=ca',
  notBefore: new Date('2026-01-01T00:00:00Z'),
  notAfter: new Date('2036-01-01T00:00:00Z'),
  fingerprint256: fields.subject,
  keyType: 'ec',
  keyBits: 256,
  signatureHash: 'SHA-256',
  subjectAltNames: [],
  selfSigned: false,
  isCa: false,
  ...fields,
});

/** A chain as a server presents it, trusted and for the right host name. */
export const presentedWith = (
  certificates: readonly Certificate[],
  fields: Partial<PresentedChain> = {},
): PresentedChain => ({
  certificates,
  namesHost: true,
  authority: certificateWith({ subject: 'CN=root', issuer: 'CN=root', selfSigned: true, isCa: true }),
  ...fields,
});

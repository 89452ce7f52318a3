import type { Certificate, PresentedChain } from '../../src/host/certificates/types.ts';

/** A certificate with nothing wrong but its names and dates, which the test gives. */
export const certificateWith = (given: Partial<Certificate> & Pick<Certificate, 'subject'>): Certificate => ({
  issuer: 'CN=ca',
  notBefore: new Date('2026-01-01T00:00:00Z'),
  notAfter: new Date('2036-01-01T00:00:00Z'),
  fingerprint256: given.subject,
  keyType: 'ec',
  keyBits: 256,
  signatureHash: 'SHA-256',
  subjectAltNames: [],
  selfSigned: false,
  isCa: false,
  ...given,
});

/** Certificates as a server presents them, for the host that was asked and trusted. */
export const presentedWith = (
  certificates: readonly Certificate[],
  given: Partial<PresentedChain> = {},
): PresentedChain => ({
  certificates,
  namesHost: true,
  authority: certificateWith({ subject: 'CN=root', issuer: 'CN=root', selfSigned: true, isCa: true }),
  ...given,
});

import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { createRoot } from '../../../simulator/workload/pki.ts';
import { couldHaveIssued, type Identity, identityOf } from '../../../src/host/certificates/issuer-match.ts';
import { parseCertificate } from '../../../src/host/certificates/parsed-certificate.ts';

const issuer: Identity = { subject: 'r', issuer: 'top', serialNumber: '01', keyId: 'aa', authority: {} };
const below = (authority: Identity['authority'], given: Partial<Identity> = {}): Identity => ({
  subject: 'x',
  issuer: 'r',
  serialNumber: '02',
  authority,
  ...given,
});

test.each<[string, boolean, Identity]>([
  ['the name alone', true, below({})],
  ['another name', false, below({}, { issuer: 'other' })],
  ['the key identifier', true, below({ keyId: 'aa' })],
  ['another key identifier', false, below({ keyId: 'bb' })],
  ['issuer and serial number', true, below({ serialNumber: '01', issuer: 'top' })],
  ['another serial number', false, below({ serialNumber: '03', issuer: 'top' })],
  ['another issuer of the issuer', false, below({ serialNumber: '01', issuer: 'r' })],
])('an issuer is matched by its name and its identifiers: %s', (_, matches, certificate) => {
  expect(couldHaveIssued(issuer, certificate)).toBe(matches);
});

test('a key identifier that the issuer lacks excludes nothing', () => {
  expect(couldHaveIssued({ ...issuer, keyId: undefined }, below({ keyId: 'bb' }))).toBe(true);
});

test('names are compared without regard to case and the amount of white space', async () => {
  const identity = async (commonName: string) =>
    identityOf(parseCertificate(new X509Certificate((await createRoot({ commonName })).certificate).raw));
  const { subject } = await identity('Edge  CA');
  expect(subject).toBe((await identity('edge ca')).subject);
  expect(subject).not.toBe((await identity('edgeca')).subject);
});

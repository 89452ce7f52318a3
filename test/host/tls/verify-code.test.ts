import { expect, test } from 'vitest';
import { describeVerifyCode, isDateCode } from '../../../src/host/tls/verify-code.ts';

test('a result of the verification is described in words, also one that is not known', () => {
  expect(describeVerifyCode('UNABLE_TO_GET_ISSUER_CERT')).toBe(
    'this device trusts an intermediate CA, but not the root above it',
  );
  expect(describeVerifyCode('CA_MD_TOO_WEAK')).toBe('ca md too weak');
});

test('only two results are about dates alone', () => {
  const codes = ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID', 'INVALID_CA', undefined];
  expect(codes.map(isDateCode)).toEqual([true, true, false, false]);
});

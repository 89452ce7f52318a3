import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { createRoot } from '../../../simulator/workload/pki.ts';
import { certificateDetails as detailsOf } from '../../../src/host/certificates/certificate-details.ts';
import { derElements, dottedOid } from '../../../src/host/certificates/der.ts';
import { parseCertificate } from '../../../src/host/certificates/parsed-certificate.ts';

const root = await createRoot({ commonName: 'root' });
const leaf = await root.issue({ commonName: 'leaf', names: ['leaf.test'] });
const certificateDetails = (bytes: Buffer) => detailsOf(parseCertificate(bytes));
const der = (pem: string) => Buffer.from(new X509Certificate(pem).raw);

test('authorities and leaves are distinguished by their extensions', () => {
  expect(certificateDetails(der(root.certificate))).toEqual({
    isCa: true,
    keyUsage: ['keyCertSign', 'cRLSign'],
    signatureHash: 'SHA-256',
  });
  expect(certificateDetails(der(leaf.certificate))).toEqual({
    isCa: false,
    keyUsage: ['digitalSignature'],
    signatureHash: 'SHA-256',
  });
});

test('DER that is cut off or garbled is another certificate or a RangeError', () => {
  const whole = der(root.certificate);
  for (let length = 0; length < whole.length; length++) {
    expect(() => certificateDetails(whole.subarray(0, length))).toThrow(RangeError);
  }
  for (let at = 0; at < whole.length; at++) {
    for (const byte of [0x00, 0x1f, 0x30, 0x7f, 0x80, 0x84, 0xff]) {
      const garbled = Buffer.from(whole);
      garbled[at] = byte;
      expect(rangeErrorOr(() => certificateDetails(garbled))).toBeDefined();
    }
  }
});

/** What `read` returns, or its RangeError; any other error fails the test. */
function rangeErrorOr(read: () => object): object {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return error;
    throw error;
  }
}

test.each([
  ['an indefinite length', [0x30, 0x80, 0x00, 0x00]],
  ['a length of five octets', [0x30, 0x85, 0, 0, 0, 0, 0]],
  ['a length beyond the end', [0x04, 0x84, 0xff, 0xff, 0xff, 0xff]],
  ['a length that is missing', [0x04]],
  ['a tag number above 30', [0x1f, 0x22, 0x00]],
])('%s is refused', (_, bytes) => {
  expect(() => derElements(Buffer.from(bytes))).toThrow(RangeError);
});

test.each([
  [[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b], '1.2.840.113549.1.1.11'],
  [[0x55, 0x1d, 0x13], '2.5.29.19'],
  [[0x88, 0x37, 0x03], '2.999.3'],
])('%j is %s', (bytes, text) => {
  expect(dottedOid(Buffer.from(bytes))).toBe(text);
});

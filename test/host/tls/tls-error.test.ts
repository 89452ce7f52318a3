import { expect, test } from 'vitest';
import { describeTlsError } from '../../../src/host/tls/tls-error.ts';

const text = (thread: string) =>
  `${thread}:error:0A00042E:SSL routines:ssl3_read_bytes:tlsv1 alert protocol version:../deps/openssl/openssl/ssl/record/rec_layer_s3.c:1601:SSL alert number 70\n`;
const words = 'tlsv1 alert protocol version (ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION)';

test.each([
  [
    'found while reading',
    Object.assign(new Error(text('809C2B14F67F0000')), {
      reason: 'tlsv1 alert protocol version',
      code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    }),
  ],
  [
    'found while writing',
    Object.assign(new Error(`write EPROTO ${text('804C099D027F0000')}`), { code: 'EPROTO' }),
  ],
  ['without a code', new Error(text('80FCD0864B7F0000'))],
])('an alert %s is told in the same words', (_, error) => {
  expect(describeTlsError(error)).toBe(words);
});

test('an error unknown to OpenSSL is its first line, with its code', () => {
  const error = Object.assign(new Error('write EPIPE\nat somewhere'), { code: 'EPIPE' });
  expect(describeTlsError(error)).toBe('write EPIPE (EPIPE)');
  expect(describeTlsError(new Error('of no kind'))).toBe('of no kind (Error)');
});

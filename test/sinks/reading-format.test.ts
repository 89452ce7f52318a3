import { expect, test } from 'vitest';
import { describeValue } from '../../src/sinks/reading-format.ts';

test.each([
  ['certificate_not_after_timestamp_seconds', 1_796_256_000, '2026-12-03 00:00:00 UTC'],
  ['certificate_not_after_timestamp_seconds', 1e18, '1000000000000000000'],
  ['filesystem_size_bytes', 270_553_174_016, '252.0 GiB'],
  ['filesystem_size_bytes', 512 * 1024 * 1024, '512.0 MiB'],
  ['filesystem_available_bytes', 0, '0 bytes'],
  ['filesystem_available_bytes', 1023, '1023 bytes'],
  ['filesystem_available_bytes', 2 ** 52, '4096.0 TiB'],
  ['outbound_duration_seconds', 0.006_213_284_999_999_928, '6.2 ms'],
  ['outbound_duration_seconds', 0.25, '250 ms'],
  ['outbound_duration_seconds', 1.04, '1.0 s'],
  ['clock_offset_seconds', -0.000_003_25, '-3.3 µs'],
  ['clock_offset_seconds', 0.000_75, '750 µs'],
  ['clock_offset_seconds', -635, '-10 min 35 s'],
  ['clock_offset_seconds', 7260, '2 h 1 min'],
  ['clock_suspended_seconds', 1_051_200, '12 d 4 h'],
  ['filesystem_files', 4_194_304, '4,194,304'],
  ['filesystem_files', 123, '123'],
  ['filesystem_files', -1234.5, '-1,234.5'],
  ['filesystem_files', 1234.5678, '1,234.568'],
  ['filesystem_files', 0.0004, '0'],
  ['filesystem_files', -0, '0'],
  ['filesystem_files', 999_999.9996, '1,000,000'],
  ['filesystem_files', 1e21, '1e+21'],
  ['filesystem_files', Number.NaN, 'NaN'],
  ['filesystem_readonly', 0, 'no'],
  ['outbound_success', 1, 'yes'],
])('%s %d is written %s', (gauge, value, text) => {
  expect(describeValue({ gauge, value })).toBe(text);
});

import { expect, test } from 'vitest';
import {
  encodeRequest,
  kissCode,
  parsePacket,
  secondsBetween,
  toTimestamp,
} from '../../../src/host/clock/sntp-packet.ts';

test('a request is 48 bytes of version 4, client mode, with nothing but the transmit timestamp', () => {
  const request = encodeRequest(0x0123_4567_89ab_cdefn);
  expect(request.toString('hex')).toBe(`23${'00'.repeat(39)}0123456789abcdef`);
});

test('every field of an answer is read', () => {
  const answer = Buffer.from(
    'dc02f7e8' + // leap 3, version 3, mode 4; stratum 2; poll -9; precision -24
      '00018000' + // root delay 1.5 s
      '00004000' + // root dispersion 0.25 s
      '7f7f0101' +
      '00000000000000010000000000000002000000000000000300000000ffffffff',
    'hex',
  );
  expect(parsePacket(answer)).toEqual({
    leap: 3,
    version: 3,
    mode: 4,
    stratum: 2,
    precision: -24,
    rootDelaySeconds: 1.5,
    rootDispersionSeconds: 0.25,
    referenceId: 0x7f7f0101,
    reference: 1n,
    origin: 2n,
    receive: 3n,
    transmit: 0xffffffffn,
  });
});

test.each([
  ['1900-01-01T00:00:00Z', 0n],
  ['1970-01-01T00:00:00Z', 2_208_988_800n << 32n],
  ['1999-12-31T00:00:00Z', 3_155_587_200n << 32n],
  ['2036-02-07T06:28:15Z', 0xffff_ffffn << 32n],
  ['2036-02-07T06:28:16Z', 0n],
  ['2036-02-07T06:28:16.500Z', 1n << 31n],
])('%s is the timestamp RFC 5905 gives it', (date, timestamp) => {
  expect(toTimestamp(Date.parse(date))).toBe(timestamp);
});

test.each([
  ['2026-11-21T00:00:00Z', '2026-11-21T00:00:01.500Z', 1.5],
  ['2026-11-21T00:00:01Z', '2026-11-21T00:00:00Z', -1],
  ['2036-02-07T06:28:15Z', '2036-02-07T06:28:17Z', 2],
  ['2036-02-07T06:28:17Z', '2036-02-07T06:28:15Z', -2],
  ['1970-01-01T00:00:00Z', '2037-01-01T00:00:00Z', 2_114_380_800],
  ['2060-01-01T00:00:00Z', '2026-01-01T00:00:00Z', -1_072_915_200],
])('from %s to %s it is the right time, across the era of 2036 too', (from, to, seconds) => {
  expect(secondsBetween(toTimestamp(Date.parse(from)), toTimestamp(Date.parse(to)))).toBe(seconds);
});

test('a kiss code is its letters, and nothing a server sends reaches a log as it is', () => {
  expect(kissCode(0x52415445)).toBe('RATE');
  expect(kissCode(0xff0a1b44)).toBe('???D');
});

import { expect, test } from 'vitest';
import { addressKind, isAddress } from '../../../src/checks/params/address-kind.ts';

test.each([
  ['0.0.0.0', 'nowhere'],
  ['127.0.0.1', 'nowhere'],
  ['::', 'nowhere'],
  ['::1', 'nowhere'],
  ['::ffff:127.0.0.1', 'nowhere'],
  ['10.0.0.4', 'private'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.168.1.1', 'private'],
  ['169.254.1.1', 'private'],
  ['100.64.0.1', 'private'],
  ['100.127.255.255', 'private'],
  ['fd00::1', 'private'],
  ['fc00:1::1', 'private'],
  ['fe80::1', 'private'],
  ['::ffff:10.0.0.1', 'private'],
  ['172.15.0.1', 'public'],
  ['172.32.0.1', 'public'],
  ['100.63.0.1', 'public'],
  ['100.128.0.1', 'public'],
  ['11.0.0.1', 'public'],
  ['8.8.8.8', 'public'],
  ['2001:db8::1', 'public'],
  ['2603:1030:408:6::155', 'public'],
])('%s is %s', (address, kind) => {
  expect(addressKind(address)).toBe(kind);
});

test.each([
  ['192.0.2.1', true],
  ['2001:db8::1', true],
  ['hub.test', false],
  ['192.0.2.300', false],
])('%s is an address: %s', (text, whether) => {
  expect(isAddress(text)).toBe(whether);
});

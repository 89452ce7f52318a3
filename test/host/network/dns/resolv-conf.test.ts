import { describe, expect, test } from 'vitest';
import { parseResolvConf, type ResolvConf } from '../../../../src/host/network/dns/resolv-conf.ts';

const defaults: ResolvConf = {
  servers: ['127.0.0.1'],
  search: [],
  ndots: 1,
  timeoutSeconds: 5,
  attempts: 2,
  rotate: false,
  noTldQuery: false,
  noAaaa: false,
};

const parsed = (text: string, hostname = 'gateway') => parseResolvConf(text, hostname);

test('an empty file means the defaults', () => {
  expect(parsed('')).toEqual(defaults);
});

describe('name servers', () => {
  test.each<[string, string[]]>([
    ['nameserver 192.0.2.1', ['192.0.2.1']],
    ['nameserver\t192.0.2.1 # the router', ['192.0.2.1']],
    [
      'nameserver 192.0.2.1\nnameserver 2001:db8::53\nnameserver 192.0.2.1',
      ['192.0.2.1', '2001:db8::53', '192.0.2.1'],
    ],
    [
      'nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4',
      ['192.0.2.1', '192.0.2.2', '192.0.2.3'],
    ],
    ['nameserver fe80::1%eth0', ['fe80::1%eth0']],
    ['nameserver 127.1', ['127.0.0.1']],
    [
      '#nameserver 192.0.2.1\n;nameserver 192.0.2.2\n nameserver 192.0.2.3\nnameserver192.0.2.4',
      ['127.0.0.1'],
    ],
    ['nameserver dns.test\nnameserver\nnameserver 192.0.2\r\nnameserver 192.0.2.1\r\n', ['127.0.0.1']],
  ])('%j', (text, servers) => {
    expect(parsed(text).servers).toEqual(servers);
  });
});

describe('the search list', () => {
  test.each<[string, string, string[]]>([
    ['search plant.example corp.test', 'gateway', ['plant.example', 'corp.test']],
    ['domain plant.example corp.test', 'gateway', ['plant.example']],
    ['search plant.example\ndomain corp.test', 'gateway', ['corp.test']],
    ['domain corp.test\nsearch plant.example', 'gateway', ['plant.example']],
    ['search plant.example\nsearch ', 'gateway', ['plant.example']],
    ['search a b c d e f g h', 'gateway', ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']],
    ['', 'gateway.plant.example', ['plant.example']],
    ['search corp.test', 'gateway.plant.example', ['corp.test']],
  ])('%j on %s', (text, hostname, search) => {
    expect(parsed(text, hostname).search).toEqual(search);
  });
});

describe('options', () => {
  test.each<[string, Partial<ResolvConf>]>([
    ['options ndots:2 timeout:3\toptions\noptions attempts:4', { ndots: 2, timeoutSeconds: 3, attempts: 4 }],
    ['options ndots:99 timeout:99 attempts:99', { ndots: 15, timeoutSeconds: 30, attempts: 5 }],
    ['options ndots:0 timeout:x attempts:0', { ndots: 0, timeoutSeconds: 0, attempts: 0 }],
    ['options ndots:2\noptions ndots:3', { ndots: 3 }],
    ['options rotate no-tld-query no-aaaa', { rotate: true, noTldQuery: true, noAaaa: true }],
    ['options no_tld_query', { noTldQuery: true }],
    ['options edns0 trust-ad inet6', {}],
    [' options rotate\n#options rotate', {}],
  ])('%j', (text, settings) => {
    expect(parsed(text)).toEqual({ ...defaults, ...settings });
  });
});

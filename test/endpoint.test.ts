import { describe, expect, test } from 'vitest';
import {
  endpointOf,
  formatEndpoint,
  parseEndpoint,
  parsePort,
  parseProxy,
  withoutCredentials,
} from '../src/endpoint.ts';

describe('an endpoint', () => {
  test.each([
    ['hub.test:8883', undefined, { host: 'hub.test', port: 8883 }],
    ['hub.test', 443, { host: 'hub.test', port: 443 }],
    ['hub.test:1', 443, { host: 'hub.test', port: 1 }],
    ['192.0.2.1:65535', undefined, { host: '192.0.2.1', port: 65_535 }],
    ['[2001:db8::1]:53', undefined, { host: '2001:db8::1', port: 53 }],
    ['[2001:db8::1]', 53, { host: '2001:db8::1', port: 53 }],
    ['my_host-1', 1, { host: 'my_host-1', port: 1 }],
  ])('%s with the default %s is parsed', (text, defaultPort, expected) => {
    const parsed = parseEndpoint(text, defaultPort);
    expect(parsed).toEqual(expected);
    if (typeof parsed !== 'string') expect(parseEndpoint(formatEndpoint(parsed))).toEqual(parsed);
  });

  test.each([
    ['hub.test', 'no port'],
    ['hub.test:', 'bad port'],
    ['hub.test:0', 'bad port'],
    ['hub.test:65536', 'bad port'],
    ['hub.test:1e3', 'bad port'],
    ['hub.test:+1', 'bad port'],
    ['', 'bad host'],
    [':443', 'bad host'],
    ['a b:1', 'bad host'],
    ['me@hub.test:1', 'bad host'],
    ['hub.test/path:1', 'bad host'],
    ['2001:db8::1', 'bad port'],
    ['[2001:db8::1', 'bad host'],
    ['[hub.test]:1', 'bad host'],
    ['[]:1', 'bad host'],
    ['999.1.1.1:1', 'bad host'],
    [`${'a'.repeat(254)}:1`, 'bad host'],
  ])('%s is not one: %s', (text, problem) => {
    expect(parseEndpoint(text)).toBe(problem);
  });

  test('of a URL has its port, or the default one', () => {
    expect(endpointOf(new URL('https://[2001:db8::1]/a'), 443)).toEqual({ host: '2001:db8::1', port: 443 });
    expect(endpointOf(new URL('https://hub.test:8443/a'), 443)).toEqual({ host: 'hub.test', port: 8443 });
  });
});

test.each([
  ['0', 0],
  ['9600', 9600],
  ['65535', 65_535],
  ['65536', undefined],
  ['-1', undefined],
  ['1.5', undefined],
  ['', undefined],
  [' 1', undefined],
  ['123456', undefined],
])('the port %j is %s', (text, port) => {
  expect(parsePort(text)).toBe(port);
});

describe('a proxy', () => {
  const encoded = (credentials: string) => `Basic ${Buffer.from(credentials).toString('base64')}`;

  test.each([
    ['http://proxy.test:3128', { host: 'proxy.test', port: 3128 }],
    ['http://proxy.test', { host: 'proxy.test', port: 80 }],
    ['proxy.test:3128', { host: 'proxy.test', port: 3128 }],
    ['http://[2001:db8::1]:3128/', { host: '2001:db8::1', port: 3128 }],
    ['http://me:a%40b@proxy.test:1', { host: 'proxy.test', port: 1, authorization: encoded('me:a@b') }],
    ['HTTP://me@proxy.test:1', { host: 'proxy.test', port: 1, authorization: encoded('me:') }],
    ['me:a:b@c@proxy.test:1', { host: 'proxy.test', port: 1, authorization: encoded('me:a:b@c') }],
    ['http://me:100%@proxy.test:1', { host: 'proxy.test', port: 1, authorization: encoded('me:100%') }],
  ])('%s is parsed', (text, proxy) => {
    expect(parseProxy(text)).toEqual(proxy);
  });

  test.each([
    'socks5://proxy.test:1',
    'https://proxy.test',
    'proxy.test:no',
    'http://:',
    '',
    'junk:',
    'http://junk:',
    'http://proxy.test:0',
    'http://proxy.test:65536',
    'http://proxy.test:1/path',
    'http://proxy.test:1?query',
    'http://proxy test:1',
    'http:proxy.test',
    'http:/proxy.test:1',
    'http://2001:db8::1:3128',
    'http://[2001:db8::1',
    'http://me:s3cret@',
    'junk:%',
    '!',
  ])('%j is not one', (text) => {
    expect(parseProxy(text)).toBeUndefined();
  });
});

test.each([
  ['https://me:s3cret@hub.test/a', 'https://…@hub.test/a'],
  ['me:s3cret@hub.test', '…@hub.test'],
  ['https://s3c@ret@hub.test', 'https://…@hub.test'],
  ['https:\\\\me:s3cret@hub.test', '…@hub.test'],
  ['https://me:s3\ncret@hub.test', 'https://…@hub.test'],
  ['tls://hub.test:8883', 'tls://hub.test:8883'],
  ['@daily', '@daily'],
  ['@s3cret@hub.test', '…@hub.test'],
])('%j is shown as %j', (text, shown) => {
  expect(withoutCredentials(text)).toBe(shown);
});

import { describe, expect, test } from 'vitest';
import { createProxyFor } from '../../src/host/proxy.ts';

describe('https_proxy', () => {
  const endpoint = { host: 'hub.test', port: 8883 };
  const encoded = (credentials: string) => `Basic ${Buffer.from(credentials).toString('base64')}`;

  test.each([
    ['http://proxy.test:3128', { host: 'proxy.test', port: 3128 }],
    ['http://proxy.test', { host: 'proxy.test', port: 80 }],
    ['proxy.test:3128', { host: 'proxy.test', port: 3128 }],
    ['http://[2001:db8::1]:3128/', { host: '2001:db8::1', port: 3128 }],
    ['http://me:a%40b@proxy.test:1', { host: 'proxy.test', port: 1, authorization: encoded('me:a@b') }],
    ['http://me:100%@proxy.test:1', { host: 'proxy.test', port: 1, authorization: encoded('me:100%') }],
  ])('%s is understood', (httpsProxy, proxy) => {
    expect(createProxyFor({ httpsProxy })(endpoint)).toEqual(proxy);
  });

  test.each([undefined, '', ' '])('%j is none', (httpsProxy) => {
    expect(createProxyFor({ ...(httpsProxy !== undefined && { httpsProxy }) })(endpoint)).toBeUndefined();
  });

  test.each([
    ['socks5://me:s3cret@proxy.test:1', 'socks5://proxy.test:1'],
    ['me:s3cret@proxy.test:no', 'proxy.test:no'],
    ['http://me:s3c@ret@:', 'http://:'],
  ])('%s is refused without telling its credentials', (httpsProxy, told) => {
    expect(() => createProxyFor({ httpsProxy })).toThrow(
      `The proxy "${told}" cannot be used: it must be of the form http://host:port`,
    );
  });
});

describe('no_proxy', () => {
  test.each([
    ['*', 'hub.test', 443, 'direct'],
    ['hub.test', 'hub.test', 443, 'direct'],
    ['hub.test', 'HUB.test', 443, 'direct'],
    ['test', 'hub.test', 443, 'direct'],
    ['.test', 'hub.test', 443, 'direct'],
    ['*.test', 'hub.test', 443, 'direct'],
    ['other, .hub.test', 'hub.test', 443, 'direct'],
    ['ub.test', 'hub.test', 443, 'proxied'],
    ['a.hub.test', 'hub.test', 443, 'proxied'],
    ['hub.test:443', 'hub.test', 443, 'direct'],
    ['hub.test:443', 'hub.test', 8883, 'proxied'],
    ['10.0.0.4', '10.0.0.4', 443, 'direct'],
    ['0.0.4', '10.0.0.4', 443, 'proxied'],
    ['2001:db8::1', '2001:db8::1', 443, 'direct'],
    ['[2001:db8::1]:443', '2001:db8::1', 443, 'direct'],
    ['[2001:db8::1]:443', '2001:db8::1', 8883, 'proxied'],
    ['', 'hub.test', 443, 'proxied'],
    [',,', 'hub.test', 443, 'proxied'],
  ])('%j with %s:%d is %s', (noProxy, host, port, way) => {
    const proxyFor = createProxyFor({ httpsProxy: 'http://proxy.test:3128', noProxy });
    expect(proxyFor({ host, port }) === undefined ? 'direct' : 'proxied').toBe(way);
  });
});

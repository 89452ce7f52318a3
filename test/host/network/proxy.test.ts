import { describe, expect, test } from 'vitest';
import { createProxyFor } from '../../../src/host/network/proxy.ts';

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
    ['10.0.0.0/8', '10.1.2.3', 443, 'direct'],
    ['10.0.0.0/8', '11.0.0.1', 443, 'proxied'],
    ['10.0.0.0/8', '::ffff:10.1.2.3', 443, 'direct'],
    ['192.0.2.128/25', '192.0.2.127', 443, 'proxied'],
    ['192.0.2.129/25', '192.0.2.200', 443, 'direct'],
    ['0.0.0.0/0', '192.0.2.1', 443, 'direct'],
    ['2001:db8::/32', '2001:db8:1::1', 443, 'direct'],
    ['2001:db8::/32', '2001:db9::1', 443, 'proxied'],
    ['::/0', '192.0.2.1', 443, 'proxied'],
    ['10.0.0.0/33', '10.0.0.1', 443, 'proxied'],
    ['10.0.0.0/x', '10.0.0.1', 443, 'proxied'],
    ['hub.test/8', 'hub.test', 443, 'proxied'],
    ['10.0.0.0/8', 'hub.test', 443, 'proxied'],
    ['other, 10.0.0.0/8', '10.0.0.1', 443, 'direct'],
    ['2001:DB8:0::1', '2001:db8::1', 443, 'direct'],
    ['', 'hub.test', 443, 'proxied'],
    [',,', 'hub.test', 443, 'proxied'],
  ])('%j with %s:%d is %s', (noProxy, host, port, way) => {
    const proxyFor = createProxyFor({ host: 'proxy.test', port: 3128 }, noProxy);
    expect(proxyFor({ host, port }) === undefined ? 'direct' : 'proxied').toBe(way);
  });
});

test('without a proxy everything is direct', () => {
  expect(createProxyFor(undefined, '')({ host: 'hub.test', port: 443 })).toBeUndefined();
});

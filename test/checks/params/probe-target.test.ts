import { describe, expect, test } from 'vitest';
import { expandNames } from '../../../src/checks/params/placeholders.ts';
import { parseProbeTarget, probeTarget } from '../../../src/checks/params/probe-target.ts';
import type { Names } from '../../../src/host.ts';

describe('a probe target', () => {
  test.each([
    ['tcp://192.0.2.1:53', { scheme: 'tcp', host: '192.0.2.1', port: 53 }],
    ['tls://hub.test:8883', { scheme: 'tls', host: 'hub.test', port: 8883 }],
    ['tls://[2001:db8::1]:8883', { scheme: 'tls', host: '2001:db8::1', port: 8883 }],
    ['https://hub.test', { scheme: 'https', host: 'hub.test', port: 443 }],
    ['https://hub.test/', { scheme: 'https', host: 'hub.test', port: 443 }],
    ['https://hub.test:8443/v2/?a=b', { scheme: 'https', host: 'hub.test', port: 8443, path: '/v2/?a=b' }],
    ['https://hub.test?a=b', { scheme: 'https', host: 'hub.test', port: 443, path: '/?a=b' }],
    ['https://[::1]/v2/', { scheme: 'https', host: '::1', port: 443, path: '/v2/' }],
  ])('%s is understood', (text, parsed) => {
    expect(probeTarget.parse(text)).toBe(text);
    expect(parseProbeTarget(text)).toEqual(parsed);
  });

  test.each([
    'tls://{iothub}:8883',
    'https://{gateway}/{device}',
    'tls://{dps}:443',
    'https://{registries}/v2/',
  ])('%s may stand in a policy', (text) => {
    expect(probeTarget.parse(text)).toBe(text);
  });

  test.each([
    ['tls://hub.test', 'has no port: write tls://hub.test:port'],
    ['tcp://[::1]', 'has no port: write tcp://[::1]:port'],
    ['tcp://hub.test:0', 'has a port that is not 1 to 65535'],
    ['tcp://hub.test:65536', 'has a port that is not 1 to 65535'],
    ['tcp://hub.test:mqtt', 'has a port that is not 1 to 65535'],
    ['https://hub.test:', 'has a port that is not 1 to 65535'],
    ['http://hub.test:80', 'must begin with tcp://, tls:// or https://'],
    ['hub.test:8883', 'must begin with tcp://, tls:// or https://'],
    ['', 'must begin with tcp://, tls:// or https://'],
    ['tls://:8883', 'has no usable host'],
    ['tls://::1:8883', 'has no usable host (write an IPv6 address in brackets)'],
    ['tls://[hub]:1', 'has no usable host'],
    [
      'tcp://[fe80::1]:1',
      'has a link-local address, which needs a zone, and zones are not supported: write another address',
    ],
    [
      'tls://[FEBF::1%eth0]:1',
      'has a link-local address, which needs a zone, and zones are not supported: write another address',
    ],
    ['tls://a b:1', 'has no usable host'],
    ['tls://300.1.1.1:1', 'has no usable host'],
    ['tls://hub.test:1/x', 'must end after the port: only https:// takes a path'],
    ['https://hub.test/a b', 'has a path with characters that a URL cannot send'],
    ['https://hub.test/#a', 'has a path with characters that a URL cannot send'],
    ['https://me:s3cret@hub.test', 'must not hold a user name or password'],
    ['https://me:s/3@cret@hub.test', 'has a port that is not 1 to 65535'],
    [
      'tls://{hub}:1',
      'has the unknown placeholder {hub} (known: {iothub}, {gateway}, {device}, {dps}, {registries})',
    ],
  ])('%s is refused with one reason', (text, problem) => {
    const result = probeTarget.safeParse(text);
    expect(result.error?.issues.map(({ message }) => message)).toEqual([problem]);
  });
});

describe('placeholders', () => {
  const names: Names = { iothub: 'hub.test', gateway: 'gateway.test:18883', device: 'press-7' };

  test.each<[string, Names, string]>([
    ['tls://{iothub}:8883', names, 'tls://hub.test:8883'],
    ['tls://{gateway}:443', names, 'tls://gateway.test:443'],
    ['tls://{gateway}:443', { gateway: '[::1]:8883' }, 'tls://[::1]:443'],
    ['tls://{gateway}:443', { gateway: '::1' }, 'tls://[::1]:443'],
    ['https://{iothub}/{device}', names, 'https://hub.test/press-7'],
    ['tcp://192.0.2.1:53', {}, 'tcp://192.0.2.1:53'],
    ['tls://{dps}:443', {}, 'tls://global.azure-devices-provisioning.net:443'],
    ['tls://{dps}:443', names, 'tls://global.azure-devices-provisioning.net:443'],
    ['tls://{dps}:443', { iothub: 'hub.azure-devices.cn' }, 'tls://global.azure-devices-provisioning.cn:443'],
  ])('%s is expanded', (text, given, expanded) => {
    expect(expandNames(text, given)).toBe(expanded);
  });

  test('that are not known make a text not applicable', () => {
    expect(() => expandNames('tls://{iothub}:8883', {})).toThrow(
      expect.objectContaining({
        reason: 'not_applicable',
        message: expect.stringContaining('{iothub} is unknown here'),
      }),
    );
  });
});

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createResolve } from '../../../src/host/network/resolve.ts';
import { type DnsAnswer, dnsServer } from '../../support/servers/dns.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const never = new AbortController().signal;

async function hosts(text: string): Promise<string> {
  const path = join(await tempFolder(), 'hosts');
  await writeFile(path, text);
  return path;
}

async function resolveBy(answer: (name: string, type: 'A' | 'AAAA') => DnsAnswer) {
  return createResolve({ hostsFile: await hosts(''), servers: [await dnsServer(answer)] });
}

test.each(['192.0.2.1', '2001:db8::1'])('the address %s stands for itself', async (address) => {
  const resolve = await resolveBy(() => 'silence');
  expect(await resolve(address, never)).toEqual([address]);
});

describe('the hosts file', () => {
  const text =
    '192.0.2.9 gone # gateway\n2001:db8::7 Gateway\n192.0.2.7\tother gateway # note\nnonsense gateway\n';

  test.each([
    ['gateway', ['192.0.2.7', '2001:db8::7']],
    ['GATEWAY.', ['192.0.2.7', '2001:db8::7']],
    ['gone', ['192.0.2.9']],
  ])('is asked before any server: %s', async (name, addresses) => {
    const resolve = createResolve({ hostsFile: await hosts(text), servers: ['127.0.0.1:9'] });
    expect(await resolve(name, never)).toEqual(addresses);
  });

  test('is read anew each time', async () => {
    const hostsFile = await hosts('192.0.2.1 gateway\n');
    const resolve = createResolve({ hostsFile });
    expect(await resolve('gateway', never)).toEqual(['192.0.2.1']);
    await writeFile(hostsFile, '192.0.2.2 gateway\n');
    expect(await resolve('gateway', never)).toEqual(['192.0.2.2']);
  });

  test('may be missing', async () => {
    const servers = [await dnsServer((_, type) => (type === 'A' ? ['192.0.2.3'] : []))];
    const resolve = createResolve({ hostsFile: join(await tempFolder(), 'none'), servers });
    expect(await resolve('hub.test', never)).toEqual(['192.0.2.3']);
  });

  test.each(['localhost', 'a.localhost'])('is not needed for %s', async (name) => {
    const resolve = await resolveBy(() => ['192.0.2.66']);
    expect(await resolve(name, never)).toEqual(['127.0.0.1', '::1']);
  });
});

describe('name servers', () => {
  test.each<[string, DnsAnswer, DnsAnswer, string[]]>([
    ['both families, IPv4 first', ['192.0.2.1'], ['2001:db8::1'], ['192.0.2.1', '2001:db8::1']],
    ['no IPv6 address', ['192.0.2.1'], [], ['192.0.2.1']],
    ['no IPv4 address', [], ['2001:db8::1'], ['2001:db8::1']],
    ['the IPv6 question refused', ['192.0.2.1'], 'no such name', ['192.0.2.1']],
    ['the IPv6 question never answered', ['192.0.2.1'], 'silence', ['192.0.2.1']],
    ['the IPv4 question never answered', 'silence', ['2001:db8::1'], ['2001:db8::1']],
  ])('%s', async (_, ipv4, ipv6, addresses) => {
    const resolve = await resolveBy((__, type) => (type === 'A' ? ipv4 : ipv6));
    expect(await resolve('hub.test', AbortSignal.timeout(1500))).toEqual(addresses);
  });

  test.each<[DnsAnswer, string]>([
    ['no such name', 'there is no such name (ENOTFOUND'],
    [[], 'the name has no address (ENODATA'],
  ])('%j is dns_failed, with the name, the code and the server', async (answer, words) => {
    const server = await dnsServer(() => answer);
    const resolve = createResolve({ hostsFile: await hosts(''), servers: [server] });
    await expect(resolve('hub.test', never)).rejects.toMatchObject({
      name: 'CannotTell',
      reason: 'dns_failed',
      message: `hub.test does not resolve: ${words}, asked ${server})`,
    });
  });

  test('one that never answers is given up when the signal fires, with its reason', async () => {
    const resolve = await resolveBy(() => 'silence');
    await expect(resolve('hub.test', AbortSignal.timeout(100))).rejects.toMatchObject({
      name: 'TimeoutError',
    });
  });
});

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createLookUp } from '../../../src/host/network/lookup.ts';
import { createResolver } from '../../../src/host/network/resolve.ts';
import { type DnsAnswer, dnsServer, dnsServers } from '../../support/servers/dns.ts';
import { refusingPort } from '../../support/servers/udp.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const never = new AbortController().signal;
const unused = createLookUp(createResolver({ port: 9 }));

test("the system's resolver reads the hosts file first", async () => {
  const hostsFile = join(await tempFolder(), 'hosts');
  await writeFile(hostsFile, '192.0.2.7 hub.test\n');
  const lookUp = createLookUp(createResolver({ hostsFile, port: 9 }));
  expect(await lookUp('hub.test', undefined, never)).toEqual({
    addresses: ['192.0.2.7'],
    seconds: expect.any(Number),
  });
});

test('a named server is queried even for a name in the hosts file', async () => {
  const server = await dnsServer((_, type) => (type === 'A' ? ['192.0.2.8'] : []));
  const { addresses, seconds } = await unused('localhost', server, never);
  expect(addresses).toEqual(['192.0.2.8']);
  expect(seconds).toBeGreaterThan(0);
});

describe('no address', () => {
  test.each<[DnsAnswer, string, string]>([
    ['no such name', 'not_found', 'there is no such name (ENOTFOUND'],
    [[], 'not_found', 'the name has no address (ENODATA'],
    ['refused', 'refused', 'the server refused to answer (EREFUSED'],
    ['failed', 'server_failed', 'the server failed (ESERVFAIL'],
  ])('%j is %s', async (answer, reason, words) => {
    const server = await dnsServer(() => answer);
    await expect(unused('hub.test', server, never)).rejects.toMatchObject({
      name: 'CannotTell',
      reason,
      message: `hub.test does not resolve: ${words}, asked ${server})`,
    });
  });

  test("the system's resolver reports what it asked", async () => {
    const resolvConf = join(await tempFolder(), 'resolv.conf');
    await writeFile(resolvConf, 'nameserver 127.0.0.1\nnameserver 127.0.0.2\n');
    const port = await dnsServers(
      () => 'refused',
      () => 'no such name',
    );
    const lookUp = createLookUp(createResolver({ resolvConf, port }));
    await expect(lookUp('hub.test.', undefined, never)).rejects.toMatchObject({
      reason: 'not_found',
      message:
        'hub.test. does not resolve: there is no such name (EREFUSED by 127.0.0.1, ENOTFOUND by 127.0.0.2)',
    });
  });

  test('a port without a server is refused', async () => {
    const resolving = unused('hub.test', `127.0.0.1:${await refusingPort()}`, never);
    await expect(resolving).rejects.toMatchObject({ reason: 'refused' });
  });

  test("silence ends with the signal's reason", async () => {
    const server = await dnsServer(() => 'silence');
    const resolving = unused('hub.test', server, AbortSignal.timeout(100));
    await expect(resolving).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});

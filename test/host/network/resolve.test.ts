import { truncate, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { never } from '../../../src/deadline.ts';
import { createResolver, resolutionDelayMs } from '../../../src/host/network/resolve.ts';
import { type Answering, type DnsAnswer, dnsServers } from '../../support/servers/dns.ts';
import { deadline } from '../../support/servers/tcp.ts';
import { tempFolder } from '../../support/temp-folder.ts';

interface Setup {
  readonly servers: readonly Answering[];
  /** What follows the `nameserver` lines. */
  readonly conf?: string;
  readonly hosts?: string;
  readonly resolutionDelayMs?: number;
}

/** A resolver with name servers of its own, and the names that each of them was asked for. */
async function resolverWith({ servers, conf = 'search .', hosts = '', ...options }: Setup) {
  const asked: string[] = [];
  const port = await dnsServers(
    ...servers.map(
      (answer, index): Answering =>
        (name, type) => {
          if (type === 'A') asked.push(`${index + 1} ${name}`);
          return answer(name, type);
        },
    ),
  );
  const folder = await tempFolder();
  const [hostsFile, resolvConf] = [join(folder, 'hosts'), join(folder, 'resolv.conf')];
  await writeFile(hostsFile, hosts);
  await writeFile(resolvConf, `${servers.map((_, i) => `nameserver 127.0.0.${i + 1}\n`).join('')}${conf}\n`);
  const files = { hostsFile, resolvConf };
  return { ...createResolver({ ...files, port, ...options }), asked, port, ...files };
}

const resolveBy = async (answer: Answering) => (await resolverWith({ servers: [answer] })).resolve;

/** A server with one IPv4 address for each of these names. */
const knowing =
  (address: string, ...names: readonly string[]): Answering =>
  (name, type) => {
    if (names.length > 0 && !names.includes(name)) return 'no such name';
    return type === 'A' ? [address] : [];
  };

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8::1', '2001:db8::1'],
  // As inet_aton(3) reads it.
  ['10.1', '10.0.0.1'],
  ['0x7f.1', '127.0.0.1'],
])('the address %s is %s', async (written, address) => {
  const resolve = await resolveBy(() => 'silence');
  expect(await resolve(written, never)).toEqual([address]);
});

describe('the hosts file', () => {
  const hosts =
    '192.0.2.9 gone # gateway\n2001:db8::7 Gateway\n192.0.2.7\tother gateway # note\nnonsense gateway\nfe80::1%lo gateway\n 192.0.2.8 gateway\r\n';

  test.each([
    ['gateway', ['192.0.2.7', '192.0.2.8', '2001:db8::7']],
    ['GATEWAY', ['192.0.2.7', '192.0.2.8', '2001:db8::7']],
    ['gone', ['192.0.2.9']],
  ])('comes before any server: %s', async (name, addresses) => {
    const { resolve, asked } = await resolverWith({ servers: [() => 'refused'], hosts });
    expect(await resolve(name, never)).toEqual(addresses);
    expect(asked).toEqual([]);
  });

  test('does not list a name with a trailing dot, as for glibc', async () => {
    const { resolve } = await resolverWith({ servers: [knowing('192.0.2.1')], hosts });
    expect(await resolve('gateway.', never)).toEqual(['192.0.2.1']);
  });

  test('is read for each lookup', async () => {
    const { resolve, hostsFile } = await resolverWith({ servers: [], hosts: '192.0.2.1 gateway\n' });
    expect(await resolve('gateway', never)).toEqual(['192.0.2.1']);
    await writeFile(hostsFile, '192.0.2.2 gateway\n');
    expect(await resolve('gateway', never)).toEqual(['192.0.2.2']);
  });

  test('may be missing', async () => {
    const { port, resolvConf } = await resolverWith({ servers: [knowing('192.0.2.3')] });
    const { resolve } = createResolver({ hostsFile: join(await tempFolder(), 'none'), resolvConf, port });
    expect(await resolve('hub.test', never)).toEqual(['192.0.2.3']);
  });

  test('that is too large is an error, because the name may be in it', async () => {
    const { resolve, hostsFile } = await resolverWith({ servers: [knowing('192.0.2.3')] });
    await truncate(hostsFile, 16 * 1_048_576 + 1);
    await expect(resolve('hub.test', never)).rejects.toMatchObject({
      reason: 'dns_failed',
      message: `${hostsFile} cannot be read: it has 16 MiB, the limit is 16 MiB`,
    });
  });

  test.each(['localhost', 'a.localhost'])('is not needed for %s', async (name) => {
    const resolve = await resolveBy(() => ['192.0.2.66']);
    expect(await resolve(name, never)).toEqual(['127.0.0.1', '::1']);
  });
});

describe('address families', () => {
  test.each<[string, DnsAnswer, DnsAnswer, string[]]>([
    ['both families, IPv4 first', ['192.0.2.1'], ['2001:db8::1'], ['192.0.2.1', '2001:db8::1']],
    ['no IPv6 address', ['192.0.2.1'], [], ['192.0.2.1']],
    ['no IPv4 address', [], ['2001:db8::1'], ['2001:db8::1']],
    ['no such name for IPv6', ['192.0.2.1'], 'no such name', ['192.0.2.1']],
    ['the IPv6 query refused', ['192.0.2.1'], 'refused', ['192.0.2.1']],
    ['the IPv6 query never answered', ['192.0.2.1'], 'silence', ['192.0.2.1']],
    ['the IPv4 query never answered', 'silence', ['2001:db8::1'], ['2001:db8::1']],
  ])('%s', async (_, ipv4, ipv6, addresses) => {
    const resolve = await resolveBy((__, type) => (type === 'A' ? ipv4 : ipv6));
    expect(await resolve('hub.test', AbortSignal.timeout(1500))).toEqual(addresses);
  });

  /** A server that holds back its answer about the IPv6 addresses of slow.test. `isAsked` resolves at the first query. */
  const slowIpv6 = async (delayMs: number) => {
    let onAsked = () => {};
    const isAsked = new Promise<void>((resolve) => {
      onAsked = resolve;
    });
    let answerIpv6 = () => {};
    const ipv6 = new Promise<DnsAnswer>((answer) => {
      answerIpv6 = () => answer(['2001:db8::1']);
    });
    const servers: Answering[] = [
      (name, type) => {
        if (type === 'A') return ['192.0.2.1'];
        if (name !== 'slow.test') return [];
        onAsked();
        return ipv6;
      },
    ];
    const resolver = await resolverWith({ servers, resolutionDelayMs: delayMs });
    return { ...resolver, isAsked, answerIpv6 };
  };

  test('a slow second family is not waited for beyond the resolution delay', async () => {
    const { resolve } = await slowIpv6(0);
    expect(await resolve('slow.test', never)).toEqual(['192.0.2.1']);
  });

  test('a second family that answers within the resolution delay counts', async () => {
    const { resolve, isAsked, answerIpv6 } = await slowIpv6(60_000);
    const resolving = resolve('slow.test', never);
    await isAsked;
    answerIpv6();
    expect(await resolving).toEqual(['192.0.2.1', '2001:db8::1']);
  });

  test('the resolution delay is the one that RFC 8305 recommends', () => {
    expect(resolutionDelayMs).toBe(50);
  });

  test('a full lookup waits for both families, and measures the time until the first could be used', async () => {
    const { resolveFully, resolve, isAsked, answerIpv6 } = await slowIpv6(0);
    const resolving = resolveFully('slow.test', never);
    await isAsked;
    // Ends after the same delay, which begins later.
    await resolve('slow.test', never);
    const releasedAt = performance.now();
    answerIpv6();
    const { addresses, usableAt } = await resolving;
    expect(addresses).toEqual(['192.0.2.1', '2001:db8::1']);
    expect(usableAt).toBeLessThan(releasedAt);
  });

  test('a full lookup returns one family when the deadline passes before the other answers', async () => {
    const { resolveFully, resolve, isAsked } = await slowIpv6(0);
    const { signal, pass } = deadline();
    const resolving = resolveFully('slow.test', signal);
    await isAsked;
    await resolve('slow.test', never);
    pass();
    const { addresses } = await resolving;
    expect(addresses).toEqual(['192.0.2.1']);
  });
});

describe('several name servers', () => {
  test.each<DnsAnswer>(['failed', 'refused', 'not implemented'])(
    'one that answers "%s" is followed by the next',
    async (answer) => {
      const { resolve, asked } = await resolverWith({ servers: [() => answer, knowing('192.0.2.2')] });
      expect(await resolve('hub.test', never)).toEqual(['192.0.2.2']);
      expect(asked).toEqual(['1 hub.test', '2 hub.test']);
    },
  );

  test('one that never answers is followed by the next after its timeout', async () => {
    const { resolve } = await resolverWith({
      servers: [() => 'silence', knowing('192.0.2.2')],
      conf: 'options timeout:1',
    });
    expect(await resolve('hub.test', never)).toEqual(['192.0.2.2']);
  });

  test('a connection leaves a silent server before the usual time limit of a target', async () => {
    const { resolve } = await resolverWith({ servers: [() => 'silence', knowing('192.0.2.2')] });
    expect(await resolve('hub.test', AbortSignal.timeout(4500))).toEqual(['192.0.2.2']);
  });

  test('a full lookup waits for a silent server as long as glibc does', async () => {
    const { resolveFully, asked } = await resolverWith({
      servers: [() => 'silence', knowing('192.0.2.2')],
      conf: 'options timeout:3',
    });
    await expect(resolveFully('hub.test', AbortSignal.timeout(2500))).rejects.toThrow();
    expect(asked).toEqual(['1 hub.test']);
  });

  test('one where nothing listens is followed by the next', async () => {
    const { port, resolvConf, hostsFile } = await resolverWith({ servers: [knowing('192.0.2.2')] });
    await writeFile(resolvConf, 'nameserver 127.0.0.200\nnameserver 127.0.0.1\n');
    const { resolve } = createResolver({ port, resolvConf, hostsFile });
    expect(await resolve('hub.test', never)).toEqual(['192.0.2.2']);
  });

  test.each<[DnsAnswer, string]>([
    ['no such name', 'there is no such name (ENOTFOUND, asked 127.0.0.1)'],
    [[], 'the name has no address (ENODATA, asked 127.0.0.1)'],
  ])('the first that answers %j is believed', async (answer, words) => {
    const { resolve, asked } = await resolverWith({ servers: [() => answer, knowing('192.0.2.2')] });
    await expect(resolve('hub.test.', never)).rejects.toMatchObject({
      name: 'CannotTell',
      reason: 'dns_failed',
      message: `hub.test. does not resolve: ${words}`,
    });
    expect(asked).toEqual(['1 hub.test']);
  });

  test.each<[DnsAnswer, DnsAnswer, string]>([
    ['failed', 'failed', 'the server failed (ESERVFAIL, asked 127.0.0.1, 127.0.0.2)'],
    ['failed', 'refused', 'the server refused to answer (ESERVFAIL by 127.0.0.1, EREFUSED by 127.0.0.2)'],
    ['refused', 'no such name', 'there is no such name (EREFUSED by 127.0.0.1, ENOTFOUND by 127.0.0.2)'],
  ])('%j and %j are both named in the error', async (first, second, words) => {
    const { resolve } = await resolverWith({ servers: [() => first, () => second] });
    await expect(resolve('hub.test.', never)).rejects.toMatchObject({
      message: `hub.test. does not resolve: ${words}`,
    });
  });

  test('every server is asked once in each round of attempts', async () => {
    const servers: Answering[] = [() => 'failed', () => 'refused'];
    const { resolve, asked } = await resolverWith({ servers, conf: 'options attempts:3' });
    await expect(resolve('hub.test.', never)).rejects.toThrow();
    expect(asked.map((each) => each[0])).toEqual(['1', '2', '1', '2', '1', '2']);
  });

  test('each lookup starts at another server with rotate', async () => {
    const { resolve, asked } = await resolverWith({
      servers: [knowing('192.0.2.1'), knowing('192.0.2.2')],
      conf: 'options rotate',
    });
    for (const _ of [1, 2, 3]) await resolve('hub.test', never);
    expect(asked).toEqual(['1 hub.test', '2 hub.test', '1 hub.test']);
  });

  test('without resolv.conf the server of this machine is asked', async () => {
    const { port, hostsFile } = await resolverWith({ servers: [knowing('192.0.2.1')] });
    const { resolve } = createResolver({ port, hostsFile, resolvConf: join(await tempFolder(), 'none') });
    expect(await resolve('hub.test', never)).toEqual(['192.0.2.1']);
  });

  test('a lookup ends when the signal fires, with its reason', async () => {
    const { resolve, asked } = await resolverWith({ servers: [() => 'silence', () => 'silence'] });
    await expect(resolve('hub.test', AbortSignal.timeout(100))).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    expect(asked).toEqual(['1 hub.test']);
  });

  test('a lookup that is stopped rejects with the reason, even if one family has answered', async () => {
    const stopping = new AbortController();
    const { resolveFully } = await resolverWith({
      servers: [
        (_, type) => {
          if (type === 'AAAA') setImmediate(() => stopping.abort(new Error('stopping')));
          return type === 'AAAA' ? 'silence' : ['192.0.2.1'];
        },
      ],
    });
    await expect(resolveFully('hub.test', stopping.signal)).rejects.toThrow('stopping');
  });
});

describe('the search list', () => {
  const search = 'search plant.example corp.test';

  test.each<[string, string, string[], string[]]>([
    ['a name without a dot', 'hub', [search], ['hub.plant.example', 'hub.corp.test', 'hub']],
    ['a name with a dot', 'hub.a', [search], ['hub.a', 'hub.a.plant.example', 'hub.a.corp.test']],
    ['a name with a trailing dot', 'hub.', [search], ['hub']],
    ['ndots:0', 'hub', [search, 'options ndots:0'], ['hub', 'hub.plant.example', 'hub.corp.test']],
    ['ndots:2', 'hub.a', [search, 'options ndots:2'], ['hub.a.plant.example', 'hub.a.corp.test', 'hub.a']],
    ['no-tld-query', 'hub', [search, 'options no-tld-query'], ['hub.plant.example', 'hub.corp.test']],
    ['domain', 'hub', ['domain plant.example'], ['hub.plant.example', 'hub']],
    ['the root', 'hub', ['search . plant.example'], ['hub', 'hub.plant.example']],
  ])('%s', async (_, name, lines, names) => {
    const { resolve, asked } = await resolverWith({
      servers: [() => 'no such name'],
      conf: lines.join('\n'),
    });
    await expect(resolve(name, never)).rejects.toMatchObject({ reason: 'dns_failed' });
    expect(asked).toEqual(names.map((each) => `1 ${each}`));
  });

  test('ends at the first name that has an address', async () => {
    const servers = [knowing('192.0.2.1', 'hub.plant.example', 'hub')];
    const { resolve, asked } = await resolverWith({ servers, conf: search });
    expect(await resolve('hub', never)).toEqual(['192.0.2.1']);
    expect(asked).toEqual(['1 hub.plant.example']);
  });

  test.each<[string, DnsAnswer, string[]]>([
    ['goes on after a server failure', 'failed', ['hub.plant.example', 'hub.corp.test', 'hub']],
    ['goes on after a name without an address', [], ['hub.plant.example', 'hub.corp.test', 'hub']],
    ['is left after a refusal', 'refused', ['hub.plant.example', 'hub']],
  ])('%s', async (_, answer, names) => {
    const { resolve, asked } = await resolverWith({
      servers: [(name) => (name === 'hub.plant.example' ? answer : 'no such name')],
      conf: `${search}\noptions attempts:1`,
    });
    await expect(resolve('hub', never)).rejects.toThrow();
    expect(asked).toEqual(names.map((each) => `1 ${each}`));
  });

  test('is named in the error', async () => {
    const { resolve } = await resolverWith({ servers: [() => 'no such name'], conf: search });
    await expect(resolve('hub', never)).rejects.toMatchObject({
      message: `hub does not resolve: there is no such name (ENOTFOUND, also as hub.plant.example, hub.corp.test, asked 127.0.0.1)`,
    });
  });

  test('is the domain of this machine where resolv.conf has none', async () => {
    const [, domain] = /\.(.+)/.exec(hostname()) ?? [];
    const { resolve, asked } = await resolverWith({ servers: [() => 'no such name'], conf: '' });
    await expect(resolve('hub', never)).rejects.toThrow();
    expect(asked).toEqual([...(domain ? [`1 hub.${domain}`] : []), '1 hub']);
  });
});

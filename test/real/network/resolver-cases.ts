import type { Random } from '../../support/random.ts';
import type { DnsAnswer } from '../../support/servers/dns-message.ts';
import type { ResolverCase, Zone } from './resolver-bench.ts';

/** Where name servers listen. Glibc's default is the first. */
export const serverAddresses = ['127.0.0.1', '127.0.0.11', '127.0.0.12', '127.0.0.13'] as const;
/** Where nothing listens. */
const closed = '127.0.0.99';

const hosts = [
  'hub',
  'Hub',
  'hub.plant',
  'a.hub.plant',
  'hub.plant.example',
  'hub.',
  'hub.plant.example.',
] as const;
const domains = [
  'example',
  'plant.example',
  'corp.test',
  'corp.test.',
  '.lead.test',
  '.',
  'EXAMPLE',
] as const;

/** A resolver configuration, the zones of its servers, and a name to look up. */
export function randomCase(random: Random, { silence }: { silence: boolean }): ResolverCase {
  const { next, pick } = random;
  const name = pick(hosts);
  const rotates = next() < 0.1;
  const common = zone(random, name);
  const servers = Object.fromEntries(
    serverAddresses.map((address) => {
      const chance = next();
      // A server that is chosen by chance must not change the result, unless it has none.
      const one = rotates ? common : zone(random, name);
      if (silence && chance < 0.5) return [address, { ...one, always: 'silence' }];
      if (chance < 0.3) return [address, { ...one, always: pick(['failed', 'refused', 'not implemented']) }];
      if (chance < 0.36) return [address, { ...one, truncates: true }];
      return [address, one];
    }),
  );
  const resolvConf = next() < 0.03 ? {} : { resolvConf: randomConf(random, silence, rotates) };
  return { name, ...resolvConf, hosts: randomHosts(random, name), servers };
}

/** A server that knows some of the names that the search may come to. */
function zone(random: Random, name: string): Zone {
  const { next, pick } = random;
  const plain = name.replace(/\.$/, '');
  const candidates = [plain, ...domains.map((domain) => `${plain}.${domain.replaceAll(/^\.|\.$/g, '')}`)];
  const names = candidates.map((each) => each.toLowerCase().replace(/\.$/, ''));
  const answer = (): { A: DnsAnswer; AAAA: DnsAnswer } => {
    const ipv4 = [`192.0.2.${random.below(250)}`];
    const ipv6 = [`2001:db8::${random.below(250) + 1}`];
    const chance = next();
    if (chance < 0.4) return { A: ipv4, AAAA: ipv6 };
    if (chance < 0.55) return { A: [...ipv4, '198.51.100.7'], AAAA: [] };
    if (chance < 0.65) return { A: [], AAAA: ipv6 };
    if (chance < 0.75) return { A: [], AAAA: [] };
    if (chance < 0.85)
      return { A: ipv4, AAAA: pick(['failed', 'refused', 'not implemented', 'no such name']) };
    const failure: DnsAnswer = pick(['failed', 'refused', 'no such name']);
    return { A: failure, AAAA: failure };
  };
  return { names: Object.fromEntries(names.filter(() => next() < 0.35).map((each) => [each, answer()])) };
}

function randomConf(random: Random, silence: boolean, rotates: boolean): string {
  const { next, pick, below } = random;
  const lines: string[] = [];
  const times = (limit: number, line: () => string) => {
    for (let count = below(limit); count > 0; count -= 1) lines.push(line());
  };
  const address = () => (next() < 0.15 ? closed : pick(serverAddresses));
  times(5, () => {
    const wrong = pick([
      '#nameserver 127.0.0.1',
      ' nameserver 127.0.0.1',
      'nameserver',
      'nameserver hub',
      'nameserver 127.0.0.12\r',
    ]);
    return next() < 0.15
      ? wrong
      : `nameserver${pick([' ', '\t', '  '])}${address()}${pick(['', '', ' # note', '\t'])}`;
  });
  times(
    3,
    () =>
      `${pick(['search', 'search', 'domain'])} ${Array.from({ length: below(4) }, () => pick(domains)).join(' ')}`,
  );
  times(
    3,
    () =>
      `options ${pick(['ndots:0', 'ndots:2', 'ndots:3', 'ndots:99', 'ndots:x', 'attempts:1', 'attempts:9', 'no-tld-query', 'edns0 trust-ad', 'single-request', 'no-aaaa', 'attempts:0', 'debug'])}`,
  );
  if (next() < 0.1) lines.push('; comment', 'sortlist 192.0.2.0', 'family inet4', 'search');
  const shuffled = lines.map((line) => ({ line, at: next() })).sort((a, b) => a.at - b.at);
  return [
    ...shuffled.map(({ line }) => line),
    ...(rotates ? ['options rotate'] : []),
    ...(silence ? ['options timeout:1 attempts:1'] : ['options timeout:3']),
    '',
  ].join('\n');
}

function randomHosts({ next, pick, below }: Random, name: string): string {
  if (next() > 0.15) return '127.0.0.1 localhost\n';
  const line = () =>
    `${pick(['192.0.2.9', '2001:db8::9', '192.0.2.10', 'fe80::1%lo', '192.0.2', 'nonsense', ' 192.0.2.11'])}${pick([' ', '\t'])}${pick([name, name.toUpperCase(), `other ${name}`, 'other', `other # ${name}`, `other#${name}`])}`;
  return `${Array.from({ length: 1 + below(4) }, line).join('\n')}${pick(['\n', '\r\n'])}`;
}

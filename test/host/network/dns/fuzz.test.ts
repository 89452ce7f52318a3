import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CannotTell } from '../../../../src/check.ts';
import { never } from '../../../../src/deadline.ts';
import { listedAddresses } from '../../../../src/host/network/dns/hosts-file.ts';
import { literalAddress } from '../../../../src/host/network/dns/literal-address.ts';
import { parseResolvConf } from '../../../../src/host/network/dns/resolv-conf.ts';
import { askInTurn, searchName } from '../../../../src/host/network/dns/search.ts';
import { createLookUp } from '../../../../src/host/network/lookup.ts';
import { anyLines, type Field, mutations } from '../../../support/mutations.ts';
import { checkAsyncProperty, checkProperty } from '../../../support/properties.ts';
import { question, reply } from '../../../support/servers/dns-message.ts';
import { udpServer } from '../../../support/servers/udp.ts';

const addresses = [
  '192.0.2.1',
  '2001:db8::1',
  'fe80::1%eth0',
  '::',
  '0x7f.1',
  '1.2.3.256',
  '127.1',
  '[::1]',
  '::1%',
];

describe('resolv.conf', () => {
  const words = [
    ...['nameserver', 'domain', 'search', 'options', 'sortlist', '#', ';', 'ndots:', 'timeout:-1'],
    ...[
      'attempts:99999999999',
      'ndots:0x7',
      'rotate',
      'no-aaaa',
      'edns0',
      '.',
      '..',
      'a.test',
      'x'.repeat(300),
    ],
    ...addresses,
  ];
  const text = anyLines(words, [' ', '\t', '\n', '\r\n', '\n\n', '']);

  test('gives settings within glibc’s limits, whatever it says', () => {
    checkProperty(
      fc.property(text, fc.constantFrom('gateway', 'a.b.test', '.', ''), (conf, hostname) => {
        const { servers, ndots, timeoutSeconds, attempts } = parseResolvConf(conf, hostname);
        expect(servers.length).toBeGreaterThanOrEqual(1);
        expect(servers.length).toBeLessThanOrEqual(3);
        for (const server of servers) {
          expect(isIP(server)).not.toBe(0);
          if (!server.includes('%')) new Resolver().setServers([server]);
        }
        for (const [number, limit] of [
          [ndots, 15],
          [timeoutSeconds, 30],
          [attempts, 5],
        ] as const) {
          expect(Number.isInteger(number)).toBe(true);
          expect(number).toBeLessThanOrEqual(limit);
        }
      }),
      2000,
    );
  });

  test('leads to a bounded number of queries', async () => {
    const codes = fc.constantFrom(
      'ENOTFOUND',
      'ENODATA',
      'ESERVFAIL',
      'EREFUSED',
      'ECONNREFUSED',
      'ETIMEOUT',
      'EBADNAME',
    );
    await checkAsyncProperty(
      fc.asyncProperty(
        text,
        fc.constantFrom('a', 'a.b', 'a.b.', '.', 'x..y'),
        fc.infiniteStream(codes),
        async (conf, name, answers) => {
          const config = parseResolvConf(conf, 'gateway.test');
          let asked = 0;
          const outcome = await searchName(name, config, (candidate) =>
            askInTurn(candidate, config, { offset: 0, firstRoundMs: 1 }, async (_, server, timeoutMs) => {
              asked += 1;
              expect(config.servers).toContain(server);
              expect(timeoutMs).toBeGreaterThan(0);
              return { code: answers.next().value ?? 'ENOTFOUND', cause: undefined };
            }),
          );
          expect('addresses' in outcome).toBe(false);
          expect(asked).toBeLessThanOrEqual(
            (config.search.length + 2) * config.attempts * config.servers.length,
          );
        },
      ),
      500,
    );
  });
});

test('a hosts file gives addresses of the name alone, whatever it says', () => {
  const words = ['localhost', 'hub.test', 'HUB.test', '#', 'toString', ...addresses];
  checkProperty(
    fc.property(
      anyLines(words, [' ', '\t', '\n', '\r\n', '']),
      fc.constantFrom('hub.test', '', '#'),
      (text, name) => {
        const found = listedAddresses(text, name);
        expect(new Set(found).size).toBe(found.length);
        for (const address of found) {
          expect(isIP(address)).not.toBe(0);
          expect(text).toContain(address);
        }
      },
    ),
    2000,
  );
});

test('a literal address is an address or a name', () => {
  const parts = fc.array(
    fc.constantFrom('0x', '0', '08', '255', '4294967296', '.', ':', '[', ']', '%', 'g', ' ', '@', '/'),
    { maxLength: 9 },
  );
  checkProperty(
    fc.property(parts, (written) => {
      const address = literalAddress(written.join(''));
      if (address !== undefined) expect(isIP(address)).not.toBe(0);
    }),
    2000,
  );
});

describe('a DNS message', () => {
  // RFC 1035, section 4.1: the header, the question of hub.test, and the fields of the first record.
  const record = 12 + 'hub.test'.length + 2 + 4;
  const header = [0, 2, 4, 6, 8, 10].map((at): Field => ({ at, bytes: 2 }));
  const labels: Field[] = [12, 16, 21].map((at) => ({ at, bytes: 1 }));
  const answer: Field[] = [
    { at: record, bytes: 2 },
    { at: record + 2, bytes: 2 },
    { at: record + 4, bytes: 2 },
    { at: record + 6, bytes: 4 },
    { at: record + 10, bytes: 2 },
    { at: record + 12, bytes: 1 },
    { at: record + 12, bytes: 2 },
  ];

  test('with mutated counts, lengths and pointers gives addresses or a declared reason', async () => {
    let mutate = (bytes: Buffer) => bytes;
    let asked = 0;
    const server = await udpServer((query, { address, port }, socket) => {
      asked += 1;
      const { type, end } = question(query);
      const answers = type === 'A' ? ['192.0.2.1', '192.0.2.2'] : ['2001:db8::1'];
      socket.send(mutate(reply(query.subarray(0, end), type, answers)), port, address);
      // For a message that the resolver ignores, such as one with another id.
      socket.send(reply(query.subarray(0, end), type, 'refused'), port, address);
    });
    const lookUp = createLookUp({
      resolveFully: async () => {
        throw new Error('not used');
      },
    });
    const at = `127.0.0.1:${server.address().port}`;
    let runs = 0;
    await checkAsyncProperty(
      fc.asyncProperty(mutations([...header, ...labels, ...answer]), async (next) => {
        mutate = next;
        runs += 1;
        try {
          const { addresses: found, seconds } = await lookUp('hub.test', at, never);
          expect(found.length).toBeGreaterThan(0);
          for (const address of found) expect(isIP(address)).not.toBe(0);
          expect(seconds).toBeGreaterThanOrEqual(0);
        } catch (error) {
          expect(error).toBeInstanceOf(CannotTell);
          expect(['not_found', 'refused', 'server_failed', 'timed_out']).toContain(
            (error as CannotTell).reason,
          );
        }
      }),
      300,
    );
    // For each of two families, the four tries of c-ares, each once more without EDNS.
    expect(asked).toBeLessThanOrEqual(runs * 2 * 4 * 2);
  });
});

import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AlgorithmList, defaultsOf, isWeak } from '../../src/checks/ssh/algorithms.ts';
import { effectiveFor } from '../../src/checks/ssh/effective.ts';
import { createFiles } from '../../src/host/files/files.ts';
import { readConfiguration } from '../../src/host/ssh/read-configuration.ts';
import { find, have, isRoot } from '../support/programs/installed.ts';
import { seeded, seedOf } from '../support/random.ts';

const { signal } = new AbortController();
const files = createFiles({ hostRoot: '/' });
const flags = [
  'passwordauthentication',
  'kbdinteractiveauthentication',
  'permitemptypasswords',
  'hostbasedauthentication',
];
/** What sshd 9.2 does where nothing is configured. */
const defaults: Readonly<Record<string, string>> = {
  permitrootlogin: 'prohibit-password',
  passwordauthentication: 'yes',
  kbdinteractiveauthentication: 'yes',
  permitemptypasswords: 'no',
  hostbasedauthentication: 'no',
  permituserenvironment: 'no',
  usepam: 'no',
};
const lists: readonly AlgorithmList[] = ['ciphers', 'macs', 'kexalgorithms', 'hostkeyalgorithms'];

/** What is judged, of a configuration: for everybody, and for the user bob. */
type Judged = Readonly<Record<string, string>>;

/** Lines of which some are combined into each configuration. DIR is its folder. */
const pool = [
  ...['yes', 'no', 'without-password', 'prohibit-password', 'forced-commands-only', 'YES', 'maybe'].map(
    (value) => `PermitRootLogin ${value}`,
  ),
  ...['yes', 'no', 'No', '"no"', 'true', ''].map((value) => `PasswordAuthentication ${value}`),
  'passwordauthentication=no',
  'PasswordAuthentication = yes',
  'PasswordAuthentication no # for now',
  'PasswordAuthentication no yes',
  'PermitEmptyPasswords yes',
  'KbdInteractiveAuthentication no',
  'ChallengeResponseAuthentication yes',
  'UsePAM yes',
  'HostbasedAuthentication yes',
  'PermitUserEnvironment yes',
  'PermitUserEnvironment LANG,LC_*',
  'Ciphers aes256-ctr',
  'Ciphers +aes128-cbc,3des-cbc',
  'Ciphers ^aes256-cbc',
  'Ciphers -aes128-*',
  'Ciphers arcfour',
  'Ciphers',
  'MACs -hmac-sha1*,umac-64*',
  'MACs -*',
  'MACs hmac-sha2-256,hmac-sha1',
  'MACs +hmac-md5',
  'MACs ^umac-64@openssh.com',
  'MACs -umac-??@openssh.com',
  'KexAlgorithms +diffie-hellman-group1-sha1',
  'KexAlgorithms curve25519-sha256',
  'KexAlgorithms -ecdh-*',
  'KexAlgorithms nosuch',
  'HostKeyAlgorithms +ssh-rsa',
  'HostKeyAlgorithms rsa-sha2-512,ssh-rsa',
  'Port 2222',
  'X11Forwarding yes',
  'AllowUsers alice bob',
  'Banner "/etc/issue net"',
  '# a comment',
  '   ',
  '\tPermitRootLogin no   ',
  'NoSuchKeyword yes',
  'PermitRootLogin "no',
  'UseLogin no',
  'Protocol 2',
  'Include DIR/more/*.conf',
  'Include DIR/none/*.conf',
  'Match User bob',
  'Match user=bob',
  'Match all',
  'Match User alice',
  'Match User',
  'Match Weather rainy',
];

const included = [
  'PermitRootLogin yes\n',
  'PasswordAuthentication no\nMatch User bob\nPermitRootLogin yes\n',
  'MACs hmac-sha2-512\n',
];

describe.skipIf(!(isRoot && have('sshd', 'ssh-keygen')))(
  'sshd_config as sshd reads it (root; apt-get install openssh-server)',
  () => {
    let folder = '';
    let key = '';

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'hardening-sshd-'));
      key = join(folder, 'host-key');
      spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
      // sshd wants it, though it starts nothing here.
      mkdirSync('/run/sshd', { recursive: true });
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    /** `sshd -T`; undefined where it refuses the configuration. */
    const bySshd = (path: string, user: string): Judged | undefined => {
      const connection = `user=${user},host=h.test,addr=192.0.2.1`;
      const { status, stdout } = spawnSync(
        find('sshd') ?? '',
        ['-T', '-f', path, '-h', key, '-C', connection],
        { encoding: 'utf8' },
      );
      if (status !== 0) return undefined;
      const all = new Map(
        stdout
          .split('\n')
          .map((line): [string, string] => [line.split(' ')[0] ?? '', line.slice(line.indexOf(' ') + 1)]),
      );
      return judged(
        (keyword) => all.get(keyword) ?? '',
        (list) => (all.get(list) ?? '').split(',').filter((name) => isWeak(list, name)),
      );
    };

    /** As the check sees it; `bob` is the user of every block that names him. */
    const byUs = async (path: string, user: string, text: string): Promise<Judged | undefined> => {
      try {
        const directives = await readConfiguration(path, files, signal);
        const configuration = { directives, version: '9.2', hostKeys: [] };
        const block = directives.find(
          ({ block: its }) => its && /bob/i.test(lineOf(its.file, its.line, path, text)),
        )?.block;
        const effective = effectiveFor(configuration, user === 'bob' ? block : undefined);
        return judged(
          (keyword) => effective.value(keyword) ?? defaults[keyword] ?? '',
          (list) => {
            const { configured, own } = effective.list(list, defaultsOf(list, '9.2'));
            return [...configured, ...own].filter((name) => isWeak(list, name));
          },
        );
      } catch (error) {
        if ((error as { reason?: string }).reason === 'unreadable') return undefined;
        throw error;
      }
    };

    const judged = (
      value: (keyword: string) => string,
      weak: (list: AlgorithmList) => readonly string[],
    ): Judged => ({
      ...Object.fromEntries(flags.map((keyword) => [keyword, value(keyword)])),
      permitrootlogin: value('permitrootlogin').replace('without-password', 'prohibit-password'),
      permituserenvironment: value('permituserenvironment') === 'no' ? 'no' : 'some',
      usepam: value('usepam'),
      ...Object.fromEntries(lists.map((list) => [list, [...new Set(weak(list))].sort().join()])),
    });

    const lineOf = (file: string, line: number, path: string, text: string): string =>
      (file === path ? text : (included[1] ?? '')).split('\n')[line - 1] ?? '';

    test('two hundred configurations mean the same to both, for everybody and for a user in a Match block', async () => {
      const random = seeded(seedOf('SSHD_SEED'));
      const pick = () => pool[random.below(pool.length)] ?? '';
      const cases = [
        ...pool.map((line) => [line]),
        ...Array.from({ length: 150 }, () => Array.from({ length: 1 + random.below(6) }, pick)),
      ];
      await mkdir(join(folder, 'more'));
      for (const [i, text] of included.entries()) await writeFile(join(folder, `more/${i}.conf`), text);
      const differing: object[] = [];
      let [accepted, refused] = [0, 0];
      for (const [i, lines] of cases.entries()) {
        const text = lines.join('\n').replaceAll('DIR', folder);
        // Two blocks for one user at once, or bob's lines after those of a user who is not asked for, need conditions to be evaluated.
        if (
          (text.match(/bob/g) ?? []).filter(() => /Match/.test(text)).length > 1 ||
          /Include[\s\S]*Match|Match[\s\S]*Include/.test(text)
        )
          continue;
        const path = join(folder, `${i}.conf`);
        await writeFile(path, text);
        for (const user of ['carol', 'bob']) {
          const [sshd, ours] = [bySshd(path, user), await byUs(path, user, text)];
          if (sshd) accepted += 1;
          else refused += 1;
          if (JSON.stringify(sshd) !== JSON.stringify(ours)) differing.push({ lines, user, sshd, ours });
        }
      }
      expect(differing).toEqual([]);
      expect(accepted).toBeGreaterThan(120);
      expect(refused).toBeGreaterThan(60);
    }, 120_000);
  },
);

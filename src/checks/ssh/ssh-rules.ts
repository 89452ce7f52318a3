import type { HostKey, MatchBlock, SshConfiguration } from '../../host/ssh/types.ts';
import { type AlgorithmList, defaultsOf, isWeak } from './algorithms.ts';
import { type Effective, effectiveFor } from './effective.ts';

export const sshReasons = [
  'root_login',
  'empty_passwords',
  'host_based_login',
  'weak_cipher',
  'weak_key_exchange',
  'weak_host_key',
  'password_login',
  'weak_mac',
  'user_environment',
  'weaker_match',
] as const;
export type SshReason = (typeof sshReasons)[number];

/** What is wrong, in one clause. */
export interface SshProblem {
  readonly clause: string;
  /** The line to write into a file of its own. */
  readonly line: string;
  /** Nobody configured it: it is what sshd does by itself. */
  readonly isDefault: boolean;
}

interface Rule {
  readonly severity: 'warn' | 'fail';
  readonly controls: readonly string[];
  judge(configuration: SshConfiguration, version: string | undefined): SshProblem | undefined;
}

/** Numbers of the CIS Distribution Independent Linux Benchmark 2.0.0. */
const cis = (id: string): readonly string[] => [`CIS Distribution Independent Linux 2.0.0 ${id}`];

/** In the order in which problems of the same severity are reported. */
export const sshRules: Readonly<Record<SshReason, Rule>> = {
  root_login: {
    severity: 'fail',
    controls: cis('5.2.10'),
    judge: (configuration) =>
      effectiveFor(configuration).value('permitrootlogin') === 'yes'
        ? { clause: 'lets root log in (PermitRootLogin yes)', line: 'PermitRootLogin no', isDefault: false }
        : undefined,
  },
  empty_passwords: {
    severity: 'fail',
    controls: cis('5.2.11'),
    judge: (configuration) =>
      effectiveFor(configuration).value('permitemptypasswords') === 'yes'
        ? { clause: 'accepts empty passwords', line: 'PermitEmptyPasswords no', isDefault: false }
        : undefined,
  },
  host_based_login: {
    severity: 'fail',
    controls: cis('5.2.9'),
    judge: (configuration) =>
      effectiveFor(configuration).value('hostbasedauthentication') === 'yes'
        ? {
            clause: 'trusts other hosts to say who logs in',
            line: 'HostbasedAuthentication no',
            isDefault: false,
          }
        : undefined,
  },
  weak_cipher: algorithmRule('ciphers', 'fail', '5.2.13', 'Ciphers', 'ciphers'),
  weak_key_exchange: algorithmRule('kexalgorithms', 'fail', '5.2.15', 'KexAlgorithms', 'key exchanges'),
  weak_host_key: {
    severity: 'fail',
    controls: [],
    judge(configuration, version) {
      const keys = configuration.hostKeys
        .filter(isWeakKey)
        .map(({ path, type, bits }) => `${path} (${type}, ${bits} bits)`);
      if (keys.length > 0) {
        return {
          clause: `has weak host keys: ${keys.join(', ')}`,
          line: 'HostKey /etc/ssh/ssh_host_ed25519_key',
          isDefault: false,
        };
      }
      return weakIn(
        effectiveFor(configuration),
        'hostkeyalgorithms',
        version,
        'HostKeyAlgorithms',
        'signatures',
      );
    },
  },
  password_login: { severity: 'warn', controls: [], judge: passwordProblem },
  weak_mac: algorithmRule('macs', 'warn', '5.2.14', 'MACs', 'message authentication codes'),
  user_environment: {
    severity: 'warn',
    controls: cis('5.2.12'),
    judge(configuration) {
      const value = effectiveFor(configuration).value('permituserenvironment') ?? 'no';
      return value === 'no'
        ? undefined
        : {
            clause: 'lets users set the environment of their session',
            line: 'PermitUserEnvironment no',
            isDefault: false,
          };
    },
  },
  weaker_match: { severity: 'warn', controls: [], judge: weakerMatch },
};

/** DSA, and RSA below 2048 bits. */
const isWeakKey = ({ type, bits = 0 }: HostKey): boolean =>
  type === 'ssh-dss' || (type === 'ssh-rsa' && bits < 2048);

function algorithmRule(
  list: AlgorithmList,
  severity: 'warn' | 'fail',
  id: string,
  keyword: string,
  called: string,
): Rule {
  return {
    severity,
    controls: cis(id),
    judge: (configuration, version) => weakIn(effectiveFor(configuration), list, version, keyword, called),
  };
}

function weakIn(
  effective: Effective,
  list: AlgorithmList,
  version: string | undefined,
  keyword: string,
  called: string,
): SshProblem | undefined {
  const { configured, own } = effective.list(list, defaultsOf(list, version));
  const named = configured.filter((name) => isWeak(list, name));
  const found = named.length > 0 ? named : own.filter((name) => isWeak(list, name));
  if (found.length === 0) return undefined;
  const shown = found.slice(0, 6).join(', ');
  return {
    clause: `accepts weak ${called}: ${shown}${named.length > 0 ? '' : ' (its defaults)'}`,
    line: `${keyword} -${found.slice(0, 12).join(',')}`,
    isDefault: named.length === 0,
  };
}

/** The methods of one login in AuthenticationMethods that are a password alone. */
const isPasswordAlone = (methods: string): boolean =>
  methods.split(',').every((method) => /^(password|keyboard-interactive(:.*)?)$/.test(method));

/** With PAM, keyboard-interactive asks for the password too. */
function passwordProblem(
  configuration: SshConfiguration,
  version: string | undefined,
): SshProblem | undefined {
  const effective = effectiveFor(configuration);
  const lists = configuration.directives.find(
    ({ keyword, block }) => keyword === 'authenticationmethods' && block === undefined,
  )?.values;
  if (lists && lists[0] !== 'any' && !lists.some(isPasswordAlone)) return undefined;
  const password = effective.value('passwordauthentication');
  const interactive =
    effective.value('kbdinteractiveauthentication') ?? (version === undefined ? 'no' : 'yes');
  const byPam = effective.value('usepam') === 'yes' && interactive === 'yes';
  if (password === 'no' && !byPam) return undefined;
  if (password === undefined && version === undefined && !byPam) return undefined;
  const isOnlyPam = password === 'no';
  return {
    clause: isOnlyPam ? 'asks for passwords through PAM' : 'accepts passwords, which can be guessed',
    line: isOnlyPam ? 'KbdInteractiveAuthentication no' : 'PasswordAuthentication no',
    isDefault: password === undefined,
  };
}

/** From the strictest on; the first is what holds where nothing is configured, unless it is named. */
const ranks: Readonly<
  Record<string, { readonly written: string; readonly values: readonly string[]; readonly own: string }>
> = {
  permitrootlogin: {
    written: 'PermitRootLogin',
    values: ['no', 'forced-commands-only', 'prohibit-password', 'yes'],
    own: 'prohibit-password',
  },
  passwordauthentication: { written: 'PasswordAuthentication', values: ['no', 'yes'], own: 'yes' },
  kbdinteractiveauthentication: {
    written: 'KbdInteractiveAuthentication',
    values: ['no', 'yes'],
    own: 'yes',
  },
  permitemptypasswords: { written: 'PermitEmptyPasswords', values: ['no', 'yes'], own: 'no' },
  hostbasedauthentication: { written: 'HostbasedAuthentication', values: ['no', 'yes'], own: 'no' },
};

function weakerMatch(configuration: SshConfiguration): SshProblem | undefined {
  const everybody = effectiveFor(configuration);
  const blocks = new Map<string, MatchBlock>();
  for (const { block } of configuration.directives)
    if (block) blocks.set(`${block.file}:${block.line}`, block);
  for (const block of blocks.values()) {
    const some = effectiveFor(configuration, block);
    for (const [keyword, { written, values, own }] of Object.entries(ranks)) {
      const rank = (value: string) =>
        values.indexOf(value === 'without-password' ? 'prohibit-password' : value);
      const before = everybody.value(keyword) ?? own;
      const within = some.value(keyword) ?? own;
      if (rank(within) > rank(before)) {
        return {
          clause: `is weaker for some: the Match in ${block.file}, line ${block.line}, sets ${written} ${within} instead of ${before}`,
          line: '',
          isDefault: false,
        };
      }
    }
  }
  return undefined;
}

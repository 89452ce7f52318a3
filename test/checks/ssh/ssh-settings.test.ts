import { expect, test } from 'vitest';
import { sshSettings } from '../../../src/checks/ssh/ssh-settings.ts';
import type { Directive, HostKey } from '../../../src/host/ssh/types.ts';
import { runCheck } from '../../../src/run/runner.ts';
import { fakeHost } from '../../support/fixtures/fake-host.ts';

const { signal } = new AbortController();

interface Device {
  readonly version?: string | undefined;
  readonly hostKeys?: readonly HostKey[];
  readonly policy?: object;
}

/** The finding for a configuration; a line that begins with `>` is in a Match block. */
async function found(lines: readonly string[], device: Device = {}) {
  const { hostKeys = [], policy = {} } = device;
  const version = 'version' in device ? device.version : '9.2';
  const directives = lines.map((line): Directive => {
    const [keyword = '', ...values] = line.replace(/^> ?/, '').split(' ');
    const block = line.startsWith('>') ? { block: { file: '/etc/ssh/sshd_config', line: 7 } } : {};
    return { keyword: keyword.toLowerCase(), values, ...block };
  });
  const host = fakeHost({
    sshd: async () => ({ directives, hostKeys, version }),
  });
  const { findings } = await runCheck(sshSettings, sshSettings.params.parse(policy), host, 5, signal);
  return findings[0];
}
const reasons = async (...given: Parameters<typeof found>) => {
  const finding = await found(...given);
  return [finding?.reason, ...(finding?.also ?? []).map(({ reason }) => reason)].filter(
    (reason) => reason !== undefined,
  );
};

/** Nothing wrong, so that each case has only what it is about. */
const strict = [
  'PermitRootLogin no',
  'PasswordAuthentication no',
  'KbdInteractiveAuthentication no',
  'MACs hmac-sha2-512-etm@openssh.com',
];
const instead = (line: string) => [line, ...strict];

test('a strict configuration passes', async () => {
  expect(await found(strict)).toMatchObject({ status: 'pass', message: 'sshd 9.2 is configured well' });
});

test.each<[string, string]>([
  ['PermitRootLogin yes', 'fail root_login'],
  ['PermitRootLogin prohibit-password', 'pass'],
  ['PermitEmptyPasswords yes', 'fail empty_passwords'],
  ['HostbasedAuthentication yes', 'fail host_based_login'],
  ['Ciphers aes256-cbc', 'fail weak_cipher'],
  ['Ciphers +3des-cbc', 'fail weak_cipher'],
  ['Ciphers aes256-gcm@openssh.com', 'pass'],
  ['KexAlgorithms +diffie-hellman-group1-sha1', 'fail weak_key_exchange'],
  ['KexAlgorithms diffie-hellman-group14-sha1', 'fail weak_key_exchange'],
  ['KexAlgorithms diffie-hellman-group14-sha256', 'pass'],
  ['HostKeyAlgorithms +ssh-rsa', 'fail weak_host_key'],
  ['HostKeyAlgorithms rsa-sha2-512', 'pass'],
  ['MACs hmac-sha1', 'warn weak_mac'],
  ['MACs umac-64-etm@openssh.com', 'warn weak_mac'],
  ['MACs umac-128-etm@openssh.com', 'pass'],
  ['PasswordAuthentication yes', 'warn password_login'],
  ['PermitUserEnvironment yes', 'warn user_environment'],
  ['PermitUserEnvironment LANG', 'warn user_environment'],
])('%s: %s', async (line, expected) => {
  const { status, reason } = (await found(instead(line))) ?? {};
  expect([status, reason].filter(Boolean).join(' ')).toBe(expected);
});

test('a server that nobody configured warns and does not fail', async () => {
  for (const version of ['8.4', '8.7', '8.9', '9.2', '10.0']) {
    const finding = await found([], { version });
    expect(finding?.status).toBe('warn');
    expect(await reasons([], { version })).toEqual(
      version.startsWith('8.4') || version === '8.7'
        ? ['weak_host_key', 'password_login', 'weak_mac']
        : ['password_login', 'weak_mac'],
    );
  }
});

test('a rule that the policy sets is obeyed, for a default too', async () => {
  expect(await found([], { policy: { rules: { password_login: 'fail' } } })).toMatchObject({
    status: 'fail',
    reason: 'password_login',
  });
  expect(await found([], { policy: { rules: { password_login: 'off', weak_mac: 'off' } } })).toMatchObject({
    status: 'pass',
  });
  expect(
    await found(instead('PermitRootLogin yes'), { policy: { rules: { root_login: 'warn' } } }),
  ).toMatchObject({ status: 'warn' });
});

test('without a version only what is configured is judged', async () => {
  expect(await found([], { version: undefined })).toMatchObject({
    status: 'pass',
    message: expect.stringContaining('only what is configured was judged'),
  });
  expect(await reasons(['MACs +hmac-md5', 'PermitRootLogin yes'], { version: undefined })).toEqual([
    'root_login',
    'weak_mac',
  ]);
  expect(await reasons([], { version: undefined, policy: { version: '9.2' } })).toEqual([
    'password_login',
    'weak_mac',
  ]);
});

test('keyboard-interactive with PAM asks for the password too', async () => {
  const lines = ['UsePAM yes', 'KbdInteractiveAuthentication yes', ...strict];
  expect(await found(lines)).toMatchObject({
    reason: 'password_login',
    remedy: expect.stringContaining('KbdInteractiveAuthentication no'),
  });
});

test.each<[string, string[]]>([
  ['AuthenticationMethods publickey', []],
  ['AuthenticationMethods publickey,password', []],
  ['AuthenticationMethods publickey,password password', ['password_login']],
  ['AuthenticationMethods any', ['password_login']],
])('%s decides whether a password is enough', async (line, expected) => {
  expect(await reasons([line, 'PasswordAuthentication yes', ...strict])).toEqual(expected);
});

test.each<[string, boolean]>([
  ['> PermitRootLogin prohibit-password', true],
  ['> PermitRootLogin no', false],
  ['> PasswordAuthentication yes', true],
  ['> X11Forwarding yes', false],
])('%s in a Match block is weaker: %s', async (line, isWeaker) => {
  const finding = await found([...strict, line].toReversed());
  expect(finding?.reason).toBe(isWeaker ? 'weaker_match' : undefined);
  if (isWeaker) expect(finding?.message).toContain('the Match in /etc/ssh/sshd_config, line 7');
});

test.each<[HostKey, boolean]>([
  [{ path: '/k', type: 'ssh-rsa', bits: 1024 }, true],
  [{ path: '/k', type: 'ssh-rsa', bits: 2047 }, true],
  [{ path: '/k', type: 'ssh-rsa', bits: 2048 }, false],
  [{ path: '/k', type: 'ssh-dss', bits: 1024 }, true],
  [{ path: '/k', type: 'ssh-ed25519' }, false],
])('the host key %j is weak: %s', async (key, isWeak) => {
  expect(await reasons(strict, { hostKeys: [key] })).toEqual(isWeak ? ['weak_host_key'] : []);
});

test('what is wrong comes with its line, how to apply it, and its number', async () => {
  expect(await found(instead('PermitRootLogin yes'))).toMatchObject({
    remedy:
      'Write "PermitRootLogin no" into /etc/ssh/sshd_config.d/10-hardening.conf, or ahead of other lines in sshd_config where that folder is not included. Check it with `sudo sshd -t`, then `sudo systemctl reload ssh` (sshd on Azure Linux and Red Hat)',
    controls: ['CIS Distribution Independent Linux 2.0.0 5.2.10'],
  });
});

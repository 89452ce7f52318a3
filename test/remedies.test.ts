import { describe, expect, test } from 'vitest';
import { sourcesIn } from './support/imports.ts';
import { stringLiterals } from './support/string-literals.ts';

/** Where a command comes from: the package on Debian and Ubuntu, and on Azure Linux (EFLOW). */
interface Origin {
  readonly debian: string;
  readonly azureLinux: string;
  /** It needs root for what remedies use it for. */
  readonly root?: true;
}

/** Every command that a remedy may contain. All of them are on a minimal device, or come with what the remedy is about. */
const commands: Readonly<Record<string, Origin>> = {
  'apt-cache': { debian: 'apt', azureLinux: 'none: Debian and Ubuntu only' },
  'apt-get': { debian: 'apt', azureLinux: 'none: Debian and Ubuntu only', root: true },
  'apt-mark': { debian: 'apt', azureLinux: 'none: Debian and Ubuntu only', root: true },
  btrfs: { debian: 'btrfs-progs', azureLinux: 'btrfs-progs', root: true },
  chmod: { debian: 'coreutils', azureLinux: 'coreutils', root: true },
  chown: { debian: 'coreutils', azureLinux: 'coreutils', root: true },
  chronyc: { debian: 'chrony', azureLinux: 'chrony', root: true },
  cat: { debian: 'coreutils', azureLinux: 'coreutils' },
  // Minimal Debian lacks it, but Microsoft's steps for installing IoT Edge begin with it.
  curl: { debian: 'curl', azureLinux: 'curl' },
  df: { debian: 'coreutils', azureLinux: 'coreutils' },
  dmesg: { debian: 'util-linux', azureLinux: 'util-linux', root: true },
  docker: { debian: 'moby-cli', azureLinux: 'moby-cli', root: true },
  du: { debian: 'coreutils', azureLinux: 'coreutils', root: true },
  'eflow-hardening': { debian: 'this module', azureLinux: 'this module' },
  find: { debian: 'findutils', azureLinux: 'findutils', root: true },
  findmnt: { debian: 'util-linux', azureLinux: 'util-linux' },
  getent: { debian: 'libc-bin', azureLinux: 'glibc' },
  grep: { debian: 'grep', azureLinux: 'grep' },
  iotedge: { debian: 'aziot-edge', azureLinux: 'aziot-edge', root: true },
  ip: { debian: 'iproute2', azureLinux: 'iproute' },
  iptables: { debian: 'iptables', azureLinux: 'iptables', root: true },
  journalctl: { debian: 'systemd', azureLinux: 'systemd', root: true },
  ls: { debian: 'coreutils', azureLinux: 'coreutils' },
  ip6tables: { debian: 'iptables', azureLinux: 'iptables', root: true },
  namei: { debian: 'util-linux', azureLinux: 'util-linux', root: true },
  openssl: { debian: 'openssl', azureLinux: 'openssl' },
  resolvectl: { debian: 'systemd', azureLinux: 'systemd' },
  sh: { debian: 'dash', azureLinux: 'bash' },
  sort: { debian: 'coreutils', azureLinux: 'coreutils' },
  sshd: { debian: 'openssh-server', azureLinux: 'openssh-server', root: true },
  ss: { debian: 'iproute2', azureLinux: 'iproute', root: true },
  stat: { debian: 'coreutils', azureLinux: 'coreutils' },
  systemctl: { debian: 'systemd', azureLinux: 'systemd', root: true },
  tail: { debian: 'coreutils', azureLinux: 'coreutils' },
  timedatectl: { debian: 'systemd', azureLinux: 'systemd' },
  tune2fs: { debian: 'e2fsprogs', azureLinux: 'e2fsprogs', root: true },
};

/** On the Windows host of EFLOW. */
const onWindows = ['Deploy-Eflow', 'Invoke-EflowVmCommand', 'powercfg'];

/** Between backticks, but not commands: lines of configuration files, names of settings and of methods. */
const notCommands = [/^refclock PHC /, /^validatePolicy$/, /^(hostname|trust_bundle_cert|\[edge_ca\])$/];

const sources = (await sourcesIn('src')).filter(({ path }) => /^src\/(checks|host)\//.test(path));
const found = (
  await Promise.all(
    sources.map(async ({ path, text }) =>
      (
        await stringLiterals(text)
      ).flatMap((literal) =>
        [...literal.matchAll(/`([^`]+)`/g)].map(([, command = '']) => ({ path, command })),
      ),
    ),
  )
).flat();
const shellCommands = found.filter(
  ({ command }) =>
    !notCommands.some((pattern) => pattern.test(command)) &&
    !onWindows.some((name) => command.startsWith(`${name} `) || command === name),
);

/** The programs of a pipeline; `sh -c` is looked into. */
function programsOf(command: string): { readonly program: string; readonly sudo: boolean }[] {
  const inner = /^sudo sh -c '(.*)'$/.exec(command)?.[1];
  return (inner ?? command).split(' | ').map((part) => {
    const [first = '', second = ''] = part.trim().split(/\s+/);
    return first === 'sudo' ? { program: second, sudo: true } : { program: first, sudo: inner !== undefined };
  });
}

test('remedies contain commands', () => {
  expect(shellCommands.length).toBeGreaterThan(25);
});

describe.each(shellCommands)('`$command` of $path', ({ command }) => {
  test.each(programsOf(command))(
    '$program exists on EFLOW and on Debian, and has root where it needs it',
    ({ program, sudo }) => {
      expect(Object.keys(commands)).toContain(program);
      expect(sudo || commands[program]?.root !== true).toBe(true);
    },
  );
});

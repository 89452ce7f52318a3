import type { Container, Engine, Mount } from '../../host/engine/types.ts';
import type { Rule } from './rules.ts';

/** A container with the engine that runs it. */
export interface Judged {
  readonly container: Container;
  readonly engine: Engine;
}

export const containerReasons = [
  'privileged',
  'engine_socket',
  'sensitive_mount',
  'host_network',
  'host_pid',
  'host_ipc',
  'added_capabilities',
  'devices',
  'root_user',
  'writable_root',
  'new_privileges',
  'seccomp_unconfined',
  'apparmor_unconfined',
  'no_memory_limit',
  'no_pids_limit',
  'privileged_port',
  'unbounded_log',
] as const;
type Reason = (typeof containerReasons)[number];
type ContainerRule = Rule<Reason, Judged>;

/** Numbers of the CIS Docker Benchmark 1.6, as docker-bench-security has them (tests/4_container_images.sh, 5_container_runtime.sh). */
const cis = (...ids: readonly string[]): readonly string[] => ids.map((id) => `CIS Docker 1.6 ${id}`);

/** What the engine grants unless told otherwise (moby, daemon/pkg/oci/caps). */
const defaultCapabilities = new Set(
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE'.split(
    ' ',
  ),
);
const sensitiveFolders = ['/boot', '/dev', '/etc', '/lib', '/proc', '/sys', '/usr'];
const engineSockets = [
  '/var/run/docker.sock',
  '/run/docker.sock',
  '/run/containerd/containerd.sock',
  '/var/run/containerd/containerd.sock',
];

/** What stops every module from getting more than it needs (iotedge, edgelet-docker/src/runtime.rs). */
const elevation =
  'Where no module needs it, set allow_elevated_docker_permissions = false in /etc/aziot/config.toml, then `sudo iotedge config apply`';

/** In the order in which problems of the same severity are reported. */
export const containerRules: readonly ContainerRule[] = [
  {
    reason: 'privileged',
    severity: 'fail',
    controls: cis('5.5'),
    judge: ({ container: { privileged } }) =>
      privileged
        ? {
            clause: 'is privileged: it can do on the device whatever root can',
            remedy: `${option('"Privileged": true')}. ${elevation}`,
          }
        : undefined,
  },
  {
    reason: 'engine_socket',
    severity: 'fail',
    controls: cis('5.32'),
    judge: ({ container }) => {
      const mount = container.mounts.find(
        ({ source }) => engineSockets.some((socket) => isWithin(source, socket)) && source !== '/',
      );
      return (
        mount && {
          clause: `has the socket of the container engine (${shown(mount)}), with which it is root on the device`,
          remedy: unmount(mount),
        }
      );
    },
  },
  {
    reason: 'sensitive_mount',
    severity: 'fail',
    controls: cis('5.6'),
    judge: ({ container }) => {
      const mount = container.mounts.find(isSensitive);
      return (
        mount && {
          clause:
            mount.source === '/'
              ? `has the whole filesystem of the device (${shown(mount)})`
              : `may write to ${mount.source} of the device`,
          remedy:
            mount.source === '/'
              ? unmount(mount)
              : `Mount it read-only, with "ReadOnly": true or ":ro", or not at all: ${mount.source} in "HostConfig" of its createOptions`,
        }
      );
    },
  },
  namespaceRule(
    'host_pid',
    'fail',
    '5.16',
    'pidMode',
    'sees all processes of the device',
    '"PidMode": "host"',
  ),
  {
    reason: 'seccomp_unconfined',
    severity: 'fail',
    controls: cis('5.22'),
    judge: ({ container, engine }) =>
      isSeccompOff(container, engine)
        ? {
            clause: 'may use every system call: seccomp is off for it',
            remedy:
              'Remove "seccomp=unconfined" from "HostConfig": { "SecurityOpt" } of its createOptions, or from "seccomp-profile" in /etc/docker/daemon.json',
          }
        : undefined,
  },
  namespaceRule(
    'host_network',
    'warn',
    '5.10',
    'networkMode',
    'uses the network of the device as its own',
    '"NetworkMode": "host"',
  ),
  namespaceRule(
    'host_ipc',
    'warn',
    '5.17',
    'ipcMode',
    'shares memory with the processes of the device',
    '"IpcMode": "host"',
  ),
  {
    reason: 'added_capabilities',
    severity: 'warn',
    controls: cis('5.4'),
    judge: ({ container: { addedCapabilities } }) => {
      const added = addedCapabilities.filter((name) => !defaultCapabilities.has(name));
      return added.length > 0
        ? {
            clause: `has more capabilities than usual: ${added.slice(0, 10).join(', ')}`,
            remedy: `${option('"CapAdd"')}. ${elevation}`,
          }
        : undefined;
    },
  },
  {
    reason: 'devices',
    severity: 'warn',
    controls: cis('5.18'),
    judge: ({ container: { devices } }) =>
      devices.length > 0
        ? {
            clause: `has devices of the machine: ${devices.slice(0, 10).join(', ')}`,
            remedy: option('"Devices"'),
          }
        : undefined,
  },
  {
    reason: 'apparmor_unconfined',
    severity: 'warn',
    controls: cis('5.2'),
    judge: ({ container, engine }) =>
      isApparmorOff(container, engine)
        ? {
            clause: 'runs without an AppArmor profile',
            remedy: option('"apparmor=unconfined" from "SecurityOpt"', ''),
          }
        : undefined,
  },
  {
    reason: 'unbounded_log',
    severity: 'warn',
    controls: [],
    judge: ({ container: { log } }) =>
      log.driver === 'json-file' && !isBounded(log.maxSize)
        ? {
            clause: 'has a log without a size limit, which fills the disk in time',
            remedy:
              'Set "HostConfig": { "LogConfig": { "Type": "json-file", "Config": { "max-size": "10m", "max-file": "3" } } } in its createOptions, or "log-driver": "local" for all in /etc/docker/daemon.json, and recreate it',
          }
        : undefined,
  },
  {
    reason: 'root_user',
    severity: 'off',
    controls: cis('4.1'),
    judge: ({ container: { user } }) =>
      /^(|root|0)(:.*)?$/.test(user)
        ? { clause: 'runs as root', remedy: 'Set "User" in its createOptions, or USER in its Dockerfile' }
        : undefined,
  },
  {
    reason: 'new_privileges',
    severity: 'off',
    controls: cis('5.26'),
    judge: ({ container: { securityOptions }, engine }) =>
      securityOptions.some((text) => /^no-new-privileges([=:]true)?$/.test(text)) ||
      hasOption(engine, 'no-new-privileges')
        ? undefined
        : {
            clause: 'may gain privileges by programs that are set-user-id',
            remedy: 'Add "no-new-privileges" to "HostConfig": { "SecurityOpt": [ ] } of its createOptions',
          },
  },
  {
    reason: 'writable_root',
    severity: 'off',
    controls: cis('5.13'),
    judge: ({ container: { isRootReadOnly } }) =>
      isRootReadOnly
        ? undefined
        : {
            clause: 'may write to its root filesystem',
            remedy: 'Set "HostConfig": { "ReadonlyRootfs": true } in its createOptions',
          },
  },
  {
    reason: 'no_memory_limit',
    severity: 'off',
    controls: cis('5.11'),
    judge: ({ container: { memoryLimitBytes } }) =>
      memoryLimitBytes > 0
        ? undefined
        : {
            clause: 'may use all of the memory',
            remedy: 'Set "HostConfig": { "Memory": BYTES } in its createOptions',
          },
  },
  {
    reason: 'no_pids_limit',
    severity: 'off',
    controls: cis('5.29'),
    judge: ({ container: { pidsLimit } }) =>
      pidsLimit > 0
        ? undefined
        : {
            clause: 'may start any number of processes',
            remedy: 'Set "HostConfig": { "PidsLimit": 100 } in its createOptions',
          },
  },
  {
    reason: 'privileged_port',
    severity: 'off',
    controls: cis('5.8'),
    judge: ({ container: { publishedPorts } }) => {
      const low = publishedPorts
        .filter(({ port }) => port < 1024)
        .map(({ protocol, port }) => `${protocol}/${port}`);
      return low.length > 0
        ? {
            clause: `publishes ${low.slice(0, 10).join(', ')} of the device, below 1024`,
            remedy: option('the port from "PortBindings"', ''),
          }
        : undefined;
    },
  },
];

function namespaceRule(
  reason: Reason,
  severity: 'warn' | 'fail',
  id: string,
  mode: 'networkMode' | 'pidMode' | 'ipcMode',
  clause: string,
  setting: string,
): ContainerRule {
  return {
    reason,
    severity,
    controls: cis(id),
    judge: ({ container }) => (container[mode] === 'host' ? { clause, remedy: option(setting) } : undefined),
  };
}

const option = (what: string, from = ' from "HostConfig"'): string =>
  `Remove ${what}${from} of its createOptions`;

const unmount = ({ source }: Mount): string =>
  `Remove ${source} from "Binds" or "Mounts" in "HostConfig" of its createOptions`;

const shown = ({ source, target }: Mount): string => (source === target ? source : `${source} at ${target}`);

/** Whether a path is a folder or below it. */
const isWithin = (folder: string, path: string): boolean =>
  path === folder || path.startsWith(`${folder === '/' ? '' : folder}/`);

const isSensitive = ({ type, source, isWritable }: Mount): boolean =>
  type === 'bind' &&
  (source === '/' || (isWritable && sensitiveFolders.some((folder) => isWithin(folder, source))));

/** `max-size` alone bounds a log; -1 means no limit. */
export const isBounded = (maxSize: string | undefined): boolean =>
  maxSize !== undefined && !/^\s*(-|0+\s*[a-z]*\s*$)/i.test(maxSize) && maxSize !== '';

const hasOption = ({ securityOptions }: Engine, name: string): boolean =>
  securityOptions.some((text) => text.split(',')[0] === `name=${name}`);

/** A privileged container has no seccomp either, which is said by that. */
function isSeccompOff({ securityOptions, privileged }: Container, engine: Engine): boolean {
  const own = securityOptions.find((text) => /^seccomp[=:]/.test(text));
  if (own !== undefined) return /^seccomp[=:]unconfined$/.test(own);
  return (
    !privileged &&
    engine.securityOptions.some(
      (text) => text.startsWith('name=seccomp') && text.includes('profile=unconfined'),
    )
  );
}

/** Not applicable where the engine has no AppArmor; a container that was never started has no profile yet. */
function isApparmorOff(
  { securityOptions, apparmorProfile, isRunning, privileged }: Container,
  engine: Engine,
): boolean {
  if (!hasOption(engine, 'apparmor')) return false;
  if (securityOptions.some((text) => /^apparmor[=:]unconfined$/.test(text))) return true;
  return !privileged && (apparmorProfile === 'unconfined' || (isRunning && apparmorProfile === ''));
}

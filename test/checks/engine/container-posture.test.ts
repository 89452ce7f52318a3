import { describe, expect, test } from 'vitest';
import { containerPosture } from '../../../src/checks/engine/container-posture.ts';
import type { Container, Engine, Mount } from '../../../src/host/engine/types.ts';
import { runCheck } from '../../../src/run/runner.ts';
import { container } from '../../support/fixtures/container.ts';
import { engineFacts } from '../../support/fixtures/engine.ts';
import { fakeHost } from '../../support/fixtures/fake-host.ts';

const { signal } = new AbortController();

async function found(more: Partial<Container>, rules: object = {}, engine: Partial<Engine> = {}) {
  const params = containerPosture.params.parse({ rules });
  const host = fakeHost({
    containers: async () => [container(more)],
    engine: async () => engineFacts(engine),
  });
  const { findings } = await runCheck(containerPosture, params, host, 5, signal);
  return findings[0];
}

const mount = (source: string, isWritable = true, type: Mount['type'] = 'bind'): Partial<Container> => ({
  mounts: [{ type, source, target: '/in', isWritable }],
});

test.each<[string, Partial<Container>, string]>([
  ['privileged', { privileged: true }, 'fail privileged'],
  ['the engine socket', mount('/var/run/docker.sock'), 'fail engine_socket'],
  ['the engine socket, read-only', mount('/run/docker.sock', false), 'fail engine_socket'],
  ['the socket of containerd', mount('/run/containerd/containerd.sock'), 'fail engine_socket'],
  ['the folder of the engine socket', mount('/var/run'), 'fail engine_socket'],
  ['a neighbour of the engine socket', mount('/run/docker.socket'), 'pass'],
  ['the whole filesystem, read-only', mount('/', false), 'fail sensitive_mount'],
  ['/etc, writable', mount('/etc'), 'fail sensitive_mount'],
  ['what lies below /etc, writable', mount('/etc/aziot/certd'), 'fail sensitive_mount'],
  ['/etc, read-only', mount('/etc', false), 'pass'],
  ['/etcetera', mount('/etcetera'), 'pass'],
  ['a volume', mount('/usr/volumes/x', true, 'volume'), 'pass'],
  ['the host network', { networkMode: 'host' }, 'warn host_network'],
  ['the host processes', { pidMode: 'host' }, 'fail host_pid'],
  ['the host IPC', { ipcMode: 'host' }, 'warn host_ipc'],
  ['a capability', { addedCapabilities: ['NET_ADMIN'] }, 'warn added_capabilities'],
  ['all capabilities', { addedCapabilities: ['ALL'] }, 'warn added_capabilities'],
  ['a capability that everybody has', { addedCapabilities: ['CHOWN', 'NET_BIND_SERVICE'] }, 'pass'],
  ['a device', { devices: ['/dev/ttyUSB0'] }, 'warn devices'],
  ['seccomp off', { securityOptions: ['seccomp=unconfined'] }, 'fail seccomp_unconfined'],
  ['seccomp off, in the old form', { securityOptions: ['seccomp:unconfined'] }, 'fail seccomp_unconfined'],
  [
    'a seccomp profile of its own',
    { securityOptions: ['seccomp={"defaultAction":"SCMP_ACT_ERRNO"}'] },
    'pass',
  ],
  ['AppArmor off', { securityOptions: ['apparmor=unconfined'] }, 'warn apparmor_unconfined'],
  ['no AppArmor profile while it runs', { apparmorProfile: '' }, 'warn apparmor_unconfined'],
  ['no AppArmor profile before its first start', { apparmorProfile: '', isRunning: false }, 'pass'],
  ['a log without a limit', { log: { driver: 'json-file' } }, 'warn unbounded_log'],
  ['a log with the limit -1', { log: { driver: 'json-file', maxSize: '-1' } }, 'warn unbounded_log'],
  ['a log that is bounded by itself', { log: { driver: 'local' } }, 'pass'],
])('%s', async (_, more, expected) => {
  const { status, reason } = (await found(more)) ?? {};
  expect([status, reason].filter(Boolean).join(' ')).toBe(expected);
});

describe('what is off by default', () => {
  test.each<[string, Partial<Container>]>([
    ['root_user', { user: '' }],
    ['root_user', { user: '0:0' }],
    ['root_user', { user: 'root' }],
    ['writable_root', { isRootReadOnly: false }],
    ['new_privileges', { securityOptions: [] }],
    ['new_privileges', { securityOptions: ['no-new-privileges=false'] }],
    ['no_memory_limit', { memoryLimitBytes: 0 }],
    ['no_pids_limit', { pidsLimit: 0 }],
    ['privileged_port', { publishedPorts: [{ protocol: 'tcp', port: 80 }] }],
  ])('%s is found once the policy asks for it', async (reason, more) => {
    expect(await found(more)).toMatchObject({ status: 'pass' });
    expect(await found(more, { [reason]: 'fail' })).toMatchObject({ status: 'fail', reason });
  });
});

describe('what the engine does not have does not apply', () => {
  test('AppArmor', async () => {
    const securityOptions = ['name=seccomp,profile=builtin'];
    expect(await found({ apparmorProfile: '' }, {}, { securityOptions })).toMatchObject({ status: 'pass' });
  });

  test('a default profile of seccomp that is off is off for everybody', async () => {
    const securityOptions = ['name=seccomp,profile=unconfined'];
    expect(await found({}, {}, { securityOptions })).toMatchObject({ reason: 'seccomp_unconfined' });
    const own = { securityOptions: ['seccomp={}'] };
    expect(await found(own, {}, { securityOptions })).toMatchObject({ status: 'pass' });
  });

  test('no-new-privileges for all containers counts for each', async () => {
    const securityOptions = ['name=no-new-privileges'];
    const more = { securityOptions: [] };
    expect(await found(more, { new_privileges: 'warn' }, { securityOptions })).toMatchObject({
      status: 'pass',
    });
  });
});

test('what edgeHub and edgeAgent need is no problem of theirs, and is said', async () => {
  const rules = {
    root_user: 'fail',
    writable_root: 'fail',
    no_memory_limit: 'fail',
    new_privileges: 'fail',
    privileged_port: 'fail',
  };
  const asInstalled = {
    user: '',
    isRootReadOnly: false,
    memoryLimitBytes: 0,
    securityOptions: [],
    publishedPorts: [{ protocol: 'tcp', port: 443 }],
  };
  expect(await found({ ...asInstalled, name: 'edgeHub' }, rules)).toMatchObject({
    status: 'pass',
    message: expect.stringMatching(/by design .*steps down to a user of its own.*HTTPS on port 443/),
  });
  expect(await found({ ...asInstalled, name: 'edgeAgent' }, rules)).toMatchObject({
    reason: 'new_privileges',
  });
  expect(await found({ ...asInstalled, name: 'plc' }, rules)).toMatchObject({ reason: 'root_user' });
  expect(await found({ name: 'edgeHub', privileged: true })).toMatchObject({ reason: 'privileged' });
});

test('of several problems the failure comes first, the message has all, and each has its controls', async () => {
  expect(await found({ networkMode: 'host', privileged: true, devices: ['/dev/mem'] })).toMatchObject({
    status: 'fail',
    reason: 'privileged',
    message:
      'plc is privileged: it can do on the device whatever root can; it also uses the network of the device as its own; it has devices of the machine: /dev/mem',
    controls: ['CIS Docker 1.6 5.5'],
    also: [
      { reason: 'host_network', controls: ['CIS Docker 1.6 5.10'] },
      { reason: 'devices', controls: ['CIS Docker 1.6 5.18'] },
    ],
  });
});

test.each([{ privileged: 'error' }, { unknown_rule: 'warn' }, { privileged: true }])(
  'the rules %j are refused',
  (rules) => {
    expect(containerPosture.params.safeParse({ rules }).success).toBe(false);
  },
);

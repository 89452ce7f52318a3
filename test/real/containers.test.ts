import { execFileSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { containerEngine } from '../../src/checks/engine/container-engine.ts';
import { containerPosture } from '../../src/checks/engine/container-posture.ts';
import { createEngine } from '../../src/host/engine/engine.ts';
import { createFiles } from '../../src/host/files/files.ts';
import { runCheck } from '../../src/run/runner.ts';
import { fakeHost } from '../support/fixtures/fake-host.ts';
import { have, isRoot } from '../support/programs/installed.ts';
import { type Engine, startEngine } from './engine.ts';

const signal = AbortSignal.timeout(120_000);

/** Bounded logs, so that each container has only what its case is about. */
const LogConfig = { Type: 'json-file', Config: { 'max-size': '10m' } };

/** HostConfig of each container, by its name, with what the check says of it. */
const cases: Readonly<Record<string, [hostConfig: object, expected: string]>> = {
  plain: [{}, 'pass'],
  privileged: [{ Privileged: true }, 'fail privileged'],
  socket: [{ Binds: ['/var/run/docker.sock:/var/run/docker.sock:ro'] }, 'fail engine_socket'],
  'socket-folder': [{ Binds: ['/run:/host/run:ro'] }, 'fail engine_socket'],
  'whole-root': [{ Binds: ['/:/rootfs:ro'] }, 'fail sensitive_mount'],
  'etc-writable': [{ Mounts: [{ Type: 'bind', Source: '/etc', Target: '/in' }] }, 'fail sensitive_mount'],
  'etc-readonly': [{ Mounts: [{ Type: 'bind', Source: '/etc', Target: '/in', ReadOnly: true }] }, 'pass'],
  'named-volume': [{ Binds: ['data:/data'] }, 'pass'],
  'in-memory': [{ Tmpfs: { '/tmp': '' } }, 'pass'],
  'host-network': [{ NetworkMode: 'host' }, 'warn host_network'],
  'host-processes': [{ PidMode: 'host' }, 'fail host_pid'],
  'host-memory': [{ IpcMode: 'host' }, 'warn host_ipc'],
  'net-admin': [{ CapAdd: ['net_admin'] }, 'warn added_capabilities'],
  'default-capabilities': [{ CapAdd: ['CAP_CHOWN'], CapDrop: ['ALL'] }, 'pass'],
  'a-device': [
    { Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/null', CgroupPermissions: 'rw' }] },
    'warn devices',
  ],
  'without-seccomp': [{ SecurityOpt: ['seccomp=unconfined'] }, 'fail seccomp_unconfined'],
  'without-log-limit': [{ LogConfig: { Type: 'json-file', Config: {} } }, 'warn unbounded_log'],
  'local-log': [{ LogConfig: { Type: 'local', Config: {} } }, 'pass'],
  'no-log': [{ LogConfig: { Type: 'none', Config: {} } }, 'pass'],
};

describe.skipIf(!(isRoot && have('dockerd', 'tar')))(
  'containers of a real engine (root; apt-get install docker.io)',
  () => {
    let folder = '';
    let engine: Engine;
    const host = () =>
      fakeHost({
        ...createEngine({
          socketPath: engine.socketPath,
          files: createFiles({ hostRoot: join(folder, 'vm'), mountinfo: () => '' }),
        }),
      });

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'hardening-containers-'));
      engine = await startEngine(signal, { network: false });
      await writeFile(join(folder, 'file'), 'x');
      execFileSync('tar', ['-C', folder, '-cf', join(folder, 'image.tar'), 'file']);
      const stream = await engine.docker.importImage(createReadStream(join(folder, 'image.tar')), {
        repo: 'small',
        tag: '1',
      });
      stream.resume();
      await new Promise((resolve, reject) => stream.once('end', resolve).once('error', reject));
      for (const [name, [hostConfig]] of Object.entries(cases)) {
        await engine.docker.createContainer({
          name,
          Image: 'small:1',
          Cmd: ['/file'],
          User: '1000',
          Env: ['PASSWORD=s3cret'],
          Labels: { secret: 's3cret' },
          HostConfig: { NetworkMode: 'none', LogConfig, ...hostConfig },
        });
      }
    }, 60_000);

    afterAll(async () => {
      await engine?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    test('each has the verdict of its configuration', async () => {
      const params = containerPosture.params.parse({});
      const { findings } = await runCheck(containerPosture, params, host(), 20, signal);
      const said = findings.map(({ target, status, reason }) => [
        target,
        [status, reason].filter(Boolean).join(' '),
      ]);
      expect(Object.fromEntries(said)).toEqual(
        Object.fromEntries(Object.entries(cases).map(([name, [, expected]]) => [name, expected])),
      );
      expect(JSON.stringify(findings)).not.toContain('s3cret');
    });

    test('what is off by default is found in a container as it comes, once it is on', async () => {
      const rules = {
        ...{ root_user: 'fail', writable_root: 'warn', new_privileges: 'warn' },
        ...{ no_memory_limit: 'warn', no_pids_limit: 'warn' },
      };
      const params = containerPosture.params.parse({ rules });
      const { findings } = await runCheck(containerPosture, params, host(), 20, signal);
      const plain = findings.find(({ target }) => target === 'plain');
      expect([plain?.reason, ...(plain?.also ?? []).map(({ reason }) => reason)]).toEqual([
        'new_privileges',
        'writable_root',
        'no_memory_limit',
        'no_pids_limit',
      ]);
    });

    test('the engine as it comes needs daemon.json to be told, and nothing else is wrong', async () => {
      const params = containerEngine.params.parse({});
      const { findings } = await runCheck(containerEngine, params, host(), 20, signal);
      expect(findings).toMatchObject([{ target: 'engine', status: 'skip', reason: 'no_access' }]);
    });
  },
);

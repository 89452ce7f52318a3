import { expect, test } from 'vitest';
import { containerEngine } from '../../../src/checks/engine/container-engine.ts';
import type { DaemonFile, Engine } from '../../../src/host/engine/types.ts';
import { runCheck } from '../../../src/run/runner.ts';
import { engineFacts } from '../../support/fixtures/engine.ts';
import { fakeHost } from '../../support/fixtures/fake-host.ts';

const { signal } = new AbortController();

async function found(facts: Partial<Engine>, rules: object = {}) {
  const params = containerEngine.params.parse({ rules });
  const host = fakeHost({ engine: async () => engineFacts(facts) });
  const { findings } = await runCheck(containerEngine, params, host, 5, signal);
  return findings[0];
}

const file = (more: Partial<DaemonFile> = {}): DaemonFile => ({ tcpHosts: [], tlsVerify: false, ...more });

test.each<[string, Partial<Engine>, string | undefined]>([
  ['json-file without a limit', { logDriver: 'json-file' }, 'unbounded_log'],
  ['json-file with max-size', { logDriver: 'json-file', file: file({ maxSize: '10m' }) }, undefined],
  ['json-file with max-size -1', { logDriver: 'json-file', file: file({ maxSize: '-1' }) }, 'unbounded_log'],
  ['local, which is bounded by itself', { logDriver: 'local' }, undefined],
  ['journald, which writes no files of its own', { logDriver: 'journald' }, undefined],
  ['an insecure registry', { insecureRegistries: ['registry.plant:5000'] }, 'insecure_registry'],
  ['a TCP socket', { file: file({ tcpHosts: ['tcp://0.0.0.0:2375'] }) }, 'tcp_socket'],
  [
    'a TCP socket with tlsverify',
    { file: file({ tcpHosts: ['tcp://0.0.0.0:2376'], tlsVerify: true }) },
    undefined,
  ],
  [
    'its own warning of an open API',
    { file: undefined, openApiWarning: 'API is accessible on …' },
    'tcp_socket',
  ],
  ['experimental features', { experimental: true }, 'experimental'],
  [
    'an engine that IoT Edge 1.6 cannot talk to',
    { version: '29.0.1', minApiVersion: '1.44' },
    'api_incompatible',
  ],
  ['an engine that IoT Edge 1.6 can talk to', { version: '29.3.0', minApiVersion: '1.40' }, undefined],
  ['no live restore, which few need', { liveRestore: false }, undefined],
])('%s', async (_, facts, reason) => {
  expect((await found(facts))?.reason).toBe(reason);
});

test('a rule has the status that the policy gives it, or none', async () => {
  expect(await found({ liveRestore: false }, { live_restore_off: 'warn' })).toMatchObject({
    status: 'warn',
    reason: 'live_restore_off',
    controls: ['CIS Docker 1.6 2.15'],
  });
  expect(await found({ experimental: true }, { experimental: 'off' })).toMatchObject({ status: 'pass' });
  expect(await found({ experimental: true }, { experimental: 'fail' })).toMatchObject({ status: 'fail' });
});

test('without daemon.json whether logs are bounded is not known, unless it does not matter', async () => {
  expect(await found({ logDriver: 'json-file', file: undefined })).toMatchObject({
    status: 'skip',
    reason: 'no_access',
    remedy: expect.stringContaining('/etc/docker/daemon.json'),
  });
  expect(await found({ logDriver: 'json-file', file: undefined }, { unbounded_log: 'off' })).toMatchObject({
    status: 'pass',
  });
  expect(await found({ logDriver: 'json-file', file: undefined, experimental: true })).toMatchObject({
    reason: 'experimental',
  });
});

test('of several problems the failure comes first, and the message has them all', async () => {
  const facts = { experimental: true, file: file({ tcpHosts: ['tcp://0.0.0.0:2375'] }) };
  expect(await found(facts)).toMatchObject({
    status: 'fail',
    reason: 'tcp_socket',
    message: expect.stringMatching(/tcp:\/\/0\.0\.0\.0:2375.*; it also has experimental features/),
    also: [{ reason: 'experimental' }],
  });
});

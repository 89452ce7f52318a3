import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createPlantedVm, plantedChecks, plantedSecret } from '../support/fixtures/planted-vm.ts';
import { bundled, run } from '../support/programs/bundle.ts';
import { cli } from '../support/programs/cli.ts';
import { createDevice, type RunningAgent, soon } from '../support/programs/device.ts';
import { node } from '../support/programs/node.ts';
import { proxyServer, refusedPort } from '../support/servers/tcp.ts';

const planted = {
  password: 'Pr0xyPassw0rd',
  key: 'cGxhbnRlZC1rZXktb2YtdGhlLW1vZHVsZQ==',
  environment: 'another-modules-database-password',
};

/** Everything the agent puts out: HTTP responses, twin, messages, method answers and log. */
async function allOutput(agent: RunningAgent, { simulator }: Awaited<ReturnType<typeof createDevice>>) {
  const paths = ['/', '/metrics', '/api/report', '/healthz', '/readyz', '/nothing'];
  const bodies = await Promise.all(paths.map(async (path) => (await agent.get(path)).body));
  const cloud = [
    await simulator.admin('GET', '/twin'),
    await simulator.admin('GET', '/messages'),
    await simulator.admin('POST', '/methods/runChecks', {}),
    await simulator.admin('POST', '/methods/nothing', {}),
  ];
  await agent.stop();
  return [...bodies, ...cloud.map((body) => JSON.stringify(body)), agent.out(), agent.err()].join('\n');
}

function expectNoSecrets(text: string) {
  for (const secret of Object.values(planted)) {
    expect(text).not.toContain(secret);
    expect(text).not.toContain(encodeURIComponent(secret));
    expect(text).not.toContain(Buffer.from(secret).toString('base64'));
  }
  expect(text).not.toMatch(/SharedAccessKey=|SharedAccessSignature|[?&; ]sig=|BEGIN [A-Z ]*PRIVATE KEY/);
}

test.each([
  ['rejects the request', async () => (await proxyServer({ refuse: 407 })).port, 'proxy_failed'],
  ['does not listen', refusedPort, 'proxy_failed'],
] as const)('the password of a proxy that %s is never disclosed', async (_, proxyPort, reason) => {
  const device = await createDevice();
  await device.desire({ policy: { checks: { outboundReachability: { targets: ['https://away.test/'] } } } });
  const agent = await device.start({
    RuntimeLogLevel: 'verbose',
    https_proxy: `http://operator:${planted.password}@127.0.0.1:${await proxyPort()}`,
    no_proxy: 'localhost,127.0.0.1',
    OTHER_MODULE_ENV: planted.environment,
  });
  await soon(device.reported).toMatchObject({ checks: { outboundReachability: { findings: [{ reason }] } } });
  const text = await allOutput(agent, device);
  // Proves that the agent was running.
  expect(text).toContain('away.test');
  expect(text).toContain('Stopped');
  expectNoSecrets(text);
});

test('a connection string that edgeHub rejects is never disclosed', async () => {
  const device = await createDevice();
  const { IOTEDGE_GATEWAYHOSTNAME: gateway = '' } = device.simulator.environment;
  const fields = ['HostName=simulator.azure-devices.net', 'DeviceId=simulated-edge', 'ModuleId=hardening'];
  const agent = await device.start({
    RuntimeLogLevel: 'verbose',
    EdgeHubConnectionString: [...fields, `SharedAccessKey=${planted.key}`, `GatewayHostName=${gateway}`].join(
      ';',
    ),
    EdgeModuleCACertificateFile: device.simulator.rootCertificateFile,
    OTHER_MODULE_ENV: planted.environment,
  });
  await soon(agent.out).toContain('No connection to edgeHub');
  const text = await allOutput(agent, device);
  // The token was signed with the planted key, and edgeHub rejected it.
  expect(device.simulator.lines.join('\n')).toContain('the token is not signed with');
  expectNoSecrets(text);
});

test('an invalid proxy setting is reported without its password', async () => {
  const { ended, out, err } = run([...node, bundled('main')], {
    https_proxy: `ftp://operator:${planted.password}@proxy.test`,
  });
  expect(await ended).toBe(2);
  expect(err()).toContain('https_proxy');
  expectNoSecrets(out() + err());
});

test('a secret in every file, label and environment that the agent can see is in no output', async () => {
  const vm = await createPlantedVm();
  const device = await createDevice();
  expect((await device.simulator.admin('PUT', '/modules', { modules: vm.modules })).status).toBe(200);
  const enabled = Object.fromEntries(plantedChecks.map((id) => [id, { enabled: true }]));
  await device.desire({ policy: { checks: enabled } });
  const agent = await device.start({ RuntimeLogLevel: 'verbose', ...vm.environment });
  await soon(async () => (await agent.get('/readyz')).status).toBe(200);
  const report = JSON.parse((await agent.get('/api/report')).body);
  // Proves that each of them read what is planted.
  const found = Object.fromEntries(plantedChecks.map((id) => [id, report.checks[id].status]));
  expect(found).toMatchObject({
    containerPosture: 'fail',
    filePermissions: 'fail',
    provisioning: 'fail',
    sshSettings: 'fail',
    proxySettings: 'warn',
    containerEngine: 'warn',
  });
  await soon(device.reported).toMatchObject({ checks: { sshSettings: { status: 'fail' } } });
  const environment = {
    ...device.simulator.environment,
    ...vm.environment,
    HARDENING_STATE_DIR: device.state,
  };
  const junit = await cli(['check', '--verbose', '--junit', '-'], environment);
  const table = await cli(['check', '--verbose', '--json'], environment);
  const text = await allOutput(agent, device);
  const state = await readdir(device.state);
  const kept = await Promise.all(state.map((name) => readFile(join(device.state, name), 'utf8')));
  const everything = [text, ...kept, junit.out, junit.err, table.out, table.err].join('\n');
  expect(everything).toContain('PermitRootLogin');
  expect(everything).not.toContain(plantedSecret);
  expectNoSecrets(everything);
}, 60_000);

import { expect, test } from 'vitest';
import { bundled, run } from '../support/bundle.ts';
import { createDevice, type RunningAgent, soon } from '../support/device.ts';
import { node } from '../support/node.ts';
import { proxyServer, refusedPort } from '../support/servers.ts';

const planted = {
  password: 'Pr0xyPassw0rd',
  key: 'cGxhbnRlZC1rZXktb2YtdGhlLW1vZHVsZQ==',
  environment: 'another-modules-database-password',
};

/** Everything that leaves the agent: what is served, what the twin holds, what is sent and what is logged. */
async function allThatLeaves(agent: RunningAgent, { simulator }: Awaited<ReturnType<typeof createDevice>>) {
  const served = ['/', '/metrics', '/api/report', '/healthz', '/readyz', '/nothing'];
  const bodies = await Promise.all(served.map(async (path) => (await agent.get(path)).body));
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
  ['refuses', async () => (await proxyServer({ refuse: 407 })).port, 'proxy_failed'],
  ['is not there', refusedPort, 'proxy_failed'],
] as const)('a proxy that %s: its password is told to nobody', async (_, proxyPort, reason) => {
  const device = await createDevice();
  await device.desire({ policy: { checks: { outboundReachability: { targets: ['https://away.test/'] } } } });
  const agent = await device.start({
    RuntimeLogLevel: 'verbose',
    https_proxy: `http://operator:${planted.password}@127.0.0.1:${await proxyPort()}`,
    no_proxy: 'localhost,127.0.0.1',
    OTHER_MODULE_ENV: planted.environment,
  });
  await soon(device.reported).toMatchObject({ checks: { outboundReachability: { findings: [{ reason }] } } });
  const text = await allThatLeaves(agent, device);
  // The text is that of an agent at work.
  expect(text).toContain('away.test');
  expect(text).toContain('Stopped');
  expectNoSecrets(text);
});

test('a connection string that edgeHub refuses is told to nobody', async () => {
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
  const text = await allThatLeaves(agent, device);
  // The token was made with the planted key, and it is edgeHub that has refused it.
  expect(device.simulator.lines.join('\n')).toContain('the token is not signed with');
  expectNoSecrets(text);
});

test('a proxy that makes no sense is told without its password', async () => {
  const { ended, out, err } = run([...node, bundled('main')], {
    https_proxy: `ftp://operator:${planted.password}@proxy.test`,
  });
  expect(await ended).toBe(2);
  expect(err()).toContain('https_proxy');
  expectNoSecrets(out() + err());
});

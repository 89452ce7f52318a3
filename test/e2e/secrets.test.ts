import { expect, test } from 'vitest';
import { bundled, run } from '../support/programs/bundle.ts';
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

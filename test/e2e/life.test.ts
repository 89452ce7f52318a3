import { once } from 'node:events';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createRoot } from '../../simulator/workload/pki.ts';
import { bundled, run } from '../support/programs/bundle.ts';
import { policyThatGives } from '../support/programs/cli.ts';
import {
  createDevice,
  expiringCertificate,
  type RunningAgent,
  soon,
  startAgent,
} from '../support/programs/device.ts';
import { node } from '../support/programs/node.ts';
import { refusedPort, tcpServer } from '../support/servers/tcp.ts';
import { tempFolder } from '../support/temp-folder.ts';

test('after a restart without the hub the saved policy applies, and the report is sent once the hub is back', async () => {
  const { start, reported, desire, simulator } = await createDevice();
  const first = await start();
  await soon(reported).toMatchObject({ policy: { ac: 200 }, checks: { diskSpace: { status: 'pass' } } });
  const version = await desire({ policy: { note: 'ours', checks: { diskSpace: { warnUsedPercent: 0 } } } });
  await soon(reported).toMatchObject({ checks: { diskSpace: { status: 'warn' } } });
  expect((await first.stop()).code).toBe(0);

  await simulator.admin('PUT', '/faults', { down: true });
  const second = await start();
  await soon(() => second.get('/readyz')).toEqual({ status: 200, body: 'ok\n' });
  const report = JSON.parse((await second.get('/api/report')).body);
  expect(report).toMatchObject({
    agent: { hub: expect.stringMatching(/connecting|offline/) },
    policy: { source: 'saved', version, accepted: true, note: 'ours' },
    checks: { diskSpace: { status: 'warn' } },
  });
  const metrics = (await second.get('/metrics')).body;
  expect(metrics).toContain('\nhardening_hub_connected 0\n');
  expect(metrics).toContain(`\nhardening_policy_version ${version}\n`);
  expect(metrics).toContain('\nhardening_check_status{check="diskSpace"} 1\n');
  expect((await second.get('/')).body).toContain(
    'saved copy from the module twin; not connected to the hub yet',
  );
  expect((await second.get('/healthz')).status).toBe(200);

  await simulator.admin('PUT', '/faults', { down: false });
  await soon(reported).toMatchObject({
    agent: { startedAt: report.agent.startedAt },
    policy: { ac: 200, av: version },
  });
  await soon(async () => (await second.get('/metrics')).body).toContain('\nhardening_hub_connected 1\n');
});

/** A check that runs every second, because it needs no network, and what makes it pass. */
async function expiring(folder: string) {
  const target = await expiringCertificate(folder);
  return {
    target,
    certificateExpiry: { files: [target], endpoints: [], schedule: '* * * * * *' },
    renew: async () => writeFile(target, (await createRoot({ commonName: 'device' })).certificate),
  };
}

const expiryStatus = async (agent: RunningAgent) =>
  JSON.parse((await agent.get('/api/report')).body).checks.certificateExpiry.status;

test('a change while the hub is unreachable is sent as a message later, even after a restart', async () => {
  const { start, reported, desire, simulator, folder } = await createDevice();
  const { target, certificateExpiry, renew } = await expiring(folder);
  await desire({ policy: { checks: { certificateExpiry } } });
  const first = await start();
  await soon(reported).toMatchObject({ checks: { certificateExpiry: { status: 'warn' } } });

  await simulator.admin('PUT', '/faults', { down: true });
  await renew();
  await soon(() => expiryStatus(first)).toBe('pass');
  expect((await first.stop()).code).toBe(0);

  await start();
  await simulator.admin('PUT', '/faults', { down: false });
  const messages = async () => (await simulator.admin('GET', '/messages')).body;
  const properties = { check: 'certificateExpiry', target, previousStatus: 'warn', status: 'pass' };
  await soon(messages).toContainEqual(
    expect.objectContaining({ properties: expect.objectContaining(properties) }),
  );
});

test('on SIGTERM the agent sends its pending report and exits with code 0 within five seconds', async () => {
  const { start, reported, desire, folder } = await createDevice();
  const { certificateExpiry, renew } = await expiring(folder);
  await desire({
    policy: { report: { minIntervalSeconds: 86_400 }, checks: { certificateExpiry } },
  });
  const agent = await start();
  await soon(reported).toMatchObject({ checks: { certificateExpiry: { status: 'warn' } } });

  // An improvement waits for report.minIntervalSeconds.
  await renew();
  await soon(() => expiryStatus(agent)).toBe('pass');
  expect(await reported()).toMatchObject({ checks: { certificateExpiry: { status: 'warn' } } });

  const { code, ms } = await agent.stop();
  expect(code).toBe(0);
  expect(ms).toBeLessThan(5000);
  expect(await reported()).toMatchObject({ checks: { certificateExpiry: { status: 'pass' } } });
});

test('a twin that asks for a run every second gets one every 30 s from checks that use the network', async () => {
  let connections = 0;
  const server = await tcpServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  const { start, desire, folder } = await createDevice();
  const { certificateExpiry } = await expiring(folder);
  const outboundReachability = { targets: [`tcp://127.0.0.1:${server.port}`] };
  await desire({ policy: { schedule: '* * * * * *', checks: { certificateExpiry, outboundReachability } } });
  const agent = await start();
  const seen = new Set<unknown>();
  const runs = async () => {
    seen.add(JSON.parse((await agent.get('/api/report')).body).checks.certificateExpiry?.lastRun);
    return seen.size;
  };
  await soon(runs).toBeGreaterThanOrEqual(6);
  expect(connections).toBe(1);
});

test('on SIGTERM the agent exits within five seconds while the hub is unreachable', async () => {
  const { start, simulator } = await createDevice();
  await simulator.admin('PUT', '/faults', { down: true });
  const { code, ms } = await (await start()).stop();
  expect(code).toBe(0);
  expect(ms).toBeLessThan(5000);
});

test('an unknown variable is a warning in the log, and a listed host name is the only one that is answered', async () => {
  const agent = await startAgent({
    HARDENING_STATE_DIR: await tempFolder(),
    HARDENING_POLICY_FILE: await policyThatGives('pass'),
    HARDENING_POLCY_FILE: '/policy.json',
    HARDENING_ALLOWED_HOSTS: 'gateway.plant.test',
  });
  expect(agent.out()).toMatch(
    /\[WRN\].*Unknown variable HARDENING_POLCY_FILE is ignored, did you mean HARDENING_POLICY_FILE\?/,
  );
  const statusFor = async (host: string) => {
    const request = get(`${agent.url}/api/report`, { headers: { host } });
    const [response] = await once(request, 'response');
    response.resume();
    return response.statusCode;
  };
  expect(await statusFor('gateway.plant.test:9600')).toBe(200);
  expect(await statusFor('127.0.0.1')).toBe(200);
  expect(await statusFor('evil.example')).toBe(421);
});

test('SIGHUP stops the agent as SIGTERM does', async () => {
  const agent = run([...node, bundled('main')], {
    HARDENING_STATE_DIR: await tempFolder(),
    HARDENING_ADDRESS: '127.0.0.1',
    HARDENING_PORT: '0',
  });
  await soon(agent.out).toContain('Listening');
  agent.child.kill('SIGHUP');
  expect(await agent.ended).toBe(0);
  expect(agent.out()).toContain('Stopped');
});

test('the agent goes on when the reader of its log has gone', async () => {
  const port = await refusedPort();
  const agent = run([...node, bundled('main')], {
    HARDENING_STATE_DIR: await tempFolder(),
    HARDENING_ADDRESS: '127.0.0.1',
    HARDENING_PORT: String(port),
  });
  await soon(agent.out).toContain('Listening');
  agent.child.stdout?.destroy();
  await soon(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
  agent.child.kill('SIGTERM');
  expect(await agent.ended).toBe(0);
  expect(agent.err()).toBe('');
});

test.each([
  ['--help', 0, 'out'],
  ['--version', 0, 'out'],
  ['serve', 2, 'err'],
] as const)('started with %s the agent only says how it is configured', async (argument, code, stream) => {
  const agent = run([...node, bundled('main'), argument], {});
  expect(await agent.ended).toBe(code);
  expect(agent[stream]()).toContain('The agent');
  expect(agent[stream]()).toContain('environment variables configure it');
});

describe('a failed start prints one line', () => {
  const start = async (environment: Readonly<Record<string, string>>) => {
    const state = await tempFolder();
    const agent = run([...node, bundled('main')], { HARDENING_STATE_DIR: state, ...environment });
    onTestFinished(() => void agent.child.kill('SIGKILL'));
    const code = await agent.ended;
    return { code, out: agent.out(), err: agent.err() };
  };

  test('a port in use exits with code 1', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    expect(await start({ HARDENING_ADDRESS: '127.0.0.1', HARDENING_PORT: port })).toMatchObject({
      code: 1,
      err: `eflow-hardening: Could not listen on 127.0.0.1 port ${port} (HARDENING_PORT): address already in use\n`,
    });
  });

  test.each([
    [
      { HARDENING_PORT: '96000' },
      'HARDENING_PORT must be a port from 0 to 65535 (0 picks a free port), got "96000"',
    ],
    [{ HARDENING_ADDRESS: 'foo' }, 'HARDENING_ADDRESS must be an IPv4 or IPv6 address'],
    [{ HARDENING_METRICS_IDENTITY: 'none' }, 'HARDENING_METRICS_IDENTITY must be info or labels, got "none"'],
    [{ RuntimeLogLevel: 'loud' }, 'RuntimeLogLevel must be one of fatal'],
    [{ IOTEDGE_DEVICEID: 'alone' }, 'IOTEDGE_WORKLOADURI'],
    [
      { HARDENING_POLICY_FILE: '/nowhere.json' },
      'HARDENING_POLICY_FILE must be a file that can be read, of 1 MiB at most, got "/nowhere.json": no such file or directory',
    ],
    [
      { HARDENING_POLICY_FILE: '/' },
      'HARDENING_POLICY_FILE must be a file that can be read, of 1 MiB at most, got "/"',
    ],
    [
      { HARDENING_POLICY_FILE: '/dev/null' },
      'HARDENING_POLICY_FILE must be a file that can be read, of 1 MiB at most, got "/dev/null": it is not a regular file',
    ],
    [{ HARDENING_WEB_CONFIG: '/web.yml' }, 'HARDENING_WEB_CONFIG must be unset, got "/web.yml"'],
  ])('%j exits with code 2', async (environment, text) => {
    const { code, out, err } = await start(environment);
    expect(out).toBe('');
    expect(err).toMatch(/^eflow-hardening: [^\n]+\n$/);
    expect(err).toContain(text);
    expect(code).toBe(2);
  });
});

test('without a hub the agent uses the policy file', async () => {
  const file = await policyThatGives('warn');
  const { get } = await startAgent({
    HARDENING_STATE_DIR: await tempFolder(),
    HARDENING_POLICY_FILE: file,
  });
  await soon(() => get('/readyz')).toEqual({ status: 200, body: 'ok\n' });
  expect(JSON.parse((await get('/api/report')).body)).toMatchObject({
    agent: { mode: 'standalone', hub: 'none' },
    policy: { source: 'file', version: 0, accepted: true },
    checks: { diskSpace: { status: 'warn' } },
  });
  expect((await get('/metrics')).body).not.toContain('hardening_target_info');
});

test('while its policy file is missing the agent follows the last policy, and reports that', async () => {
  const file = await policyThatGives('pass');
  const { get } = await startAgent({
    HARDENING_STATE_DIR: await tempFolder(),
    HARDENING_POLICY_FILE: file,
  });
  const reported = async () => JSON.parse((await get('/api/report')).body);
  await soon(reported).toMatchObject({ checks: { diskSpace: { status: 'pass' } } });
  // Every other check of this policy is disabled, policyInForce as well.
  const policy = JSON.parse(await readFile(file, 'utf8'));
  const checks = { ...policy.checks, policyInForce: { enabled: true } };
  await writeFile(file, JSON.stringify({ ...policy, confirmAfterSeconds: 0, checks }));
  await soon(reported).toMatchObject({ checks: { policyInForce: { status: 'pass' } } });

  await rename(file, `${file}.away`);
  await soon(reported).toMatchObject({
    policy: { source: 'file', note: 'of a test' },
    summary: { status: 'unknown' },
    checks: {
      policyInForce: { status: 'unknown', findings: [{ target: 'policy', reason: 'unreadable' }] },
      diskSpace: { status: 'pass' },
    },
  });
  await rename(`${file}.away`, file);
  await soon(reported).toMatchObject({ checks: { policyInForce: { status: 'pass' } } });
});

test("edgeAgent's log filters can parse every line of the log", async () => {
  const { start, reported } = await createDevice();
  const agent = await start({ RuntimeLogLevel: 'verbose', HARDENING_STATE_DIR: '/dev/null/state' });
  await soon(reported).toMatchObject({ summary: { status: 'fail' } });
  await agent.stop();
  const lines = agent.out().trimEnd().split('\n');
  // LogMessageParser.cs of Azure/iotedge: priority, timestamp, text; the level tag is part of the text.
  const format =
    /^<([034567])> \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \+00:00 \[(FTL|ERR|WRN|INF|DBG|VRB)\] - \S/;
  expect(lines.filter((line) => !format.test(line))).toEqual([]);
  expect(lines.filter((line) => line.includes(' [WRN] - Starting without memory '))).not.toEqual([]);
  expect(agent.err()).toBe('');
});

import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { portOf } from '../../simulator/http.ts';
import { startSimulator } from '../../simulator/index.ts';
import { simulated } from '../support/servers/simulator.ts';

let simulator: Awaited<ReturnType<typeof simulated>>;
beforeAll(async () => {
  simulator = await simulated({ desired: { a: 1, b: { c: 2 } } });
});
afterAll(() => simulator.close());

describe('the admin API', () => {
  test('returns both sides of the twin and merges patches into the desired properties', async () => {
    expect(await simulator.admin('PATCH', '/twin/desired', { a: null, b: { d: 3 } })).toEqual({
      status: 200,
      body: { b: { c: 2, d: 3 }, $version: 2 },
    });
    expect(await simulator.admin('GET', '/twin')).toEqual({
      status: 200,
      body: { desired: { b: { c: 2, d: 3 }, $version: 2 }, reported: { $version: 1 } },
    });
  });

  test.each([
    ['PATCH', '/twin/desired', '{', 400, 'The body is not JSON: it ends before it is complete'],
    ['PATCH', '/twin/desired', '', 400, 'The body is not JSON: it is empty'],
    ['PATCH', '/twin/desired', '{"a":"b', 400, 'The body is not JSON: it ends before it is complete'],
    [
      'PATCH',
      '/twin/desired',
      '{"a":1}\n }',
      400,
      'The body is not JSON: unexpected "}" in line 2, column 2',
    ],
    [
      'PATCH',
      '/twin/desired',
      '{\n "a": tru }',
      400,
      'The body is not JSON: unexpected " " in line 2, column 10',
    ],
    ['PATCH', '/twin/desired', '{"a":}', 400, 'The body is not JSON: unexpected "}" in line 1, column 6'],
    ['PATCH', '/twin/desired', '[1]', 400, 'The body must be a JSON object, got [1]'],
    ['PATCH', '/twin/desired', '{"a.b":1}', 400, '"a.b"'],
    ['PUT', '/faults', 'down', 400, 'The body is not JSON: unexpected "d" in line 1, column 1'],
    ['PUT', '/faults', '["down"]', 400, 'The body must be a JSON object of faults, got ["down"]'],
    ['PUT', '/faults', '{"twin":"slo"}', 400, 'twin must be one of normal, slow, stored, offline'],
    ['PUT', '/modules', '{"modules":', 400, 'The body is not JSON: it ends before it is complete'],
    ['PUT', '/edge-metrics', '{"a":', 400, 'The body is not JSON: it ends before it is complete'],
    ['PUT', '/faults', '{"explode":true}', 400, 'explode'],
    ['POST', '/methods/a?responseTimeoutInSeconds=soon', '', 400, 'responseTimeoutInSeconds'],
    ['POST', '/methods/a%2Fb', '', 400, 'a/b'],
    ['POST', '/methods/%zz', '', 400, 'malformed'],
    ['POST', '/methods/a', '{a}', 400, 'The body is not JSON: unexpected "a" in line 1, column 2'],
    ['DELETE', '/twin', '', 404, 'PATCH /twin/desired'],
    ['PATCH', '/twin/desired', `"${'x'.repeat(1024 * 1024)}"`, 413, '1048576 bytes'],
  ])('rejects an invalid request and names the reason: %s %s', async (method, path, body, status, error) => {
    expect(await simulator.admin(method, path, body)).toEqual({
      status,
      body: { error: expect.stringContaining(error) },
    });
  });
});

test('GET / lists every request, and what each fault may be', async () => {
  const { requests, faults } = (await simulator.admin('GET', '/')).body as Record<string, object>;
  expect(Object.keys(requests ?? {})).toEqual(
    expect.arrayContaining(['GET /twin', 'POST /methods/NAME', 'PUT /modules', 'PUT /edge-metrics']),
  );
  expect(Object.keys(faults ?? {})).toEqual(expect.arrayContaining(Object.keys(simulator.edgeHub.faults())));
  expect(faults).toMatchObject({
    reported: 'one of normal, empty400, silent, body429',
    down: 'one of false, true',
    twinDelaySeconds: 'a number from 0 to 3600',
    wipeSessions: 'one of false, true',
  });
});

describe('the metrics', () => {
  test.each([
    [
      'edgeAgent',
      /^edgeAgent_module_start_total\{.*edge_device="simulated-edge".*module_name="plcGateway".*\} 4$/m,
    ],
    ['edgeAgent', /^edgeAgent_metadata\{.*host_information="\{\\"OperatingSystemType\\":\\"linux\\".*\} 0$/m],
    ['edgeHub', /^edgehub_queue_length\{.*endpoint="iothub",priority="2000000000",ms_telemetry="True"\} 0$/m],
    ['edgeHub', /^# TYPE edgehub_gettwin_total counter$/m],
  ])('of %s contain %s', async (module, line) => {
    const url = module === 'edgeAgent' ? simulator.edgeAgentMetricsUrl : simulator.edgeHubMetricsUrl;
    const response = await fetch(url);
    expect(response.headers.get('content-type')).toContain('version=0.0.4');
    expect(await response.text()).toMatch(line);
  });

  test('of edgeHub count the requests of the module', async () => {
    const client = await simulator.client();
    await client.open();
    await client.getTwin();
    const text = await (await fetch(simulator.edgeHubMetricsUrl)).text();
    expect(text).toMatch(/^edgehub_connected_clients\{.*\} 1$/m);
    expect(text).toMatch(
      /^edgehub_gettwin_total\{.*id="simulated-edge\/hardening",ms_telemetry="True"\} 1$/m,
    );
  });
});

describe('the simulator', () => {
  const freePorts = { hubPort: 0, adminPort: 0, metricsPort: 0 };

  test('provides the environment variables that edgeAgent sets, and the addresses of the metrics', () => {
    expect(simulator.environment).toEqual({
      HARDENING_EDGEAGENT_METRICS: simulator.edgeAgentMetricsUrl,
      HARDENING_EDGEHUB_METRICS: simulator.edgeHubMetricsUrl,
      IOTEDGE_WORKLOADURI: expect.stringMatching(/^unix:\/\/\/.*\/workload\.sock$/),
      IOTEDGE_APIVERSION: '2022-08-03',
      IOTEDGE_AUTHSCHEME: 'sasToken',
      IOTEDGE_MODULEGENERATIONID: expect.any(String),
      IOTEDGE_IOTHUBHOSTNAME: 'simulator.azure-devices.net',
      IOTEDGE_GATEWAYHOSTNAME: `localhost:${simulator.hubPort}`,
      IOTEDGE_DEVICEID: 'simulated-edge',
      IOTEDGE_MODULEID: 'hardening',
    });
  });

  test('removes its folder and stops its servers when it closes', async () => {
    const started = await startSimulator(freePorts);
    expect(existsSync(started.rootCertificateFile)).toBe(true);
    await started.close();
    expect(existsSync(join(started.rootCertificateFile, '..'))).toBe(false);
    await expect(fetch(started.adminUrl)).rejects.toThrow();
    await started.close();
  });

  test('replaces the socket of a killed simulator in a given folder, and keeps the folder', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'simulator-test-'));
    try {
      const killed = createServer().listen(join(directory, 'workload.sock'));
      await new Promise((resolve) => killed.once('listening', resolve));
      const started = await startSimulator({ ...freePorts, directory });
      expect(started.rootCertificateFile).toBe(join(directory, 'root-ca.pem'));
      await started.close();
      expect(existsSync(started.rootCertificateFile)).toBe(false);
      expect(existsSync(directory)).toBe(true);
      await new Promise((resolve) => killed.close(resolve));
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test.each(['hubPort', 'adminPort', 'metricsPort'])('names a %s that is already in use', async (option) => {
    const occupant = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => occupant.once('listening', resolve));
    const port = portOf(occupant);
    await expect(startSimulator({ ...freePorts, [option]: port })).rejects.toThrow(`127.0.0.1:${port}`);
    await new Promise((resolve) => occupant.close(resolve));
  });

  test('rejects initial desired properties that IoT Hub would reject', async () => {
    await expect(startSimulator({ ...freePorts, desired: { 'a b': 1 } })).rejects.toThrow('"a b"');
  });
});

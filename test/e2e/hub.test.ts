import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createDevice, type RunningAgent, soon } from '../support/programs/device.ts';

const agentFacts = async ({ get }: RunningAgent) => JSON.parse((await get('/api/report')).body).agent;

test('no byte from the hub or the workload API ends the process', async () => {
  const { start, desire, reported, simulator } = await createDevice();
  const set = (change: object) => simulator.admin('PUT', '/faults', change);
  const agent = await start();
  await soon(reported).toMatchObject({ policy: { ac: 200 } });

  const deep = `${'{"a":'.repeat(3000)}1${'}'.repeat(3000)}`;
  await set({ pushDesired: `{"$version":3,"policy":${deep}}` });
  await soon(reported).toMatchObject({ policy: { ac: 400, av: 3 } });
  // Each of these makes the agent read the twin again, which does not have version 3.
  for (const pushDesired of ['', 'garbage', '{"policy":{"checks', '[]', 'null', '{}', '{"$version":"x"}']) {
    await set({ pushDesired });
  }

  await set({ twin: 'malformed', dropConnections: true });
  await soon(async () => (await agentFacts(agent)).hubProblem).toMatch(/not valid JSON/);
  for (const workload of ['malformed', 'error']) {
    await set({ twin: 'normal', workload, dropConnections: true });
    await soon(async () => (await agentFacts(agent)).hubProblem).toMatch(
      /the workload API: GET \/trust-bundle/,
    );
  }
  await set({ workload: 'normal' });
  const version = await desire({ policy: { note: 'alive' } });
  await soon(reported).toMatchObject({ policy: { ac: 200, av: version } });
  expect(agent.err()).toBe('');
  expect((await agent.stop()).code).toBe(0);
});

test('a policy is saved before it is acknowledged: a process that is killed right after that still has it', async () => {
  const { start, desire, reported, simulator } = await createDevice();
  const first = await start();
  await soon(reported).toMatchObject({ policy: { ac: 200 } });
  const version = await desire({ policy: { note: 'kept' } });
  await expect
    .poll(reported, { timeout: 15_000, interval: 5 })
    .toMatchObject({ policy: { ac: 200, av: version } });
  await first.kill();

  await simulator.admin('PUT', '/faults', { down: true });
  const second = await start();
  await soon(() => second.get('/readyz')).toEqual({ status: 200, body: 'ok\n' });
  expect(JSON.parse((await second.get('/api/report')).body).policy).toMatchObject({
    source: 'saved',
    version,
    note: 'kept',
  });
});

test.each([
  [{ reported: 'empty400' }, { reported: 'normal' }, /rejected the reported properties with status 400/],
  [{ reported: 'body429' }, { reported: 'normal' }, /rejected the reported properties with status 429: ./],
  [{ twin: 'offline', dropConnections: true }, { twin: 'normal', dropConnections: true }, /no copy of the/],
])(
  'a connection that works, but with %j, shows in the report until it fully works',
  async (fault, cure, cause) => {
    const { start, desire, reported, simulator } = await createDevice();
    const set = (change: object) => simulator.admin('PUT', '/faults', change);
    const agent = await start();
    const version = await desire({
      policy: { checks: { hubConnection: { enabled: true, warnMinutes: 0 } } },
    });
    await soon(reported).toMatchObject({ policy: { ac: 200, av: version } });
    const hubConnection = async () => {
      const call = await simulator.admin('POST', '/methods/runChecks', { checks: ['hubConnection'] });
      return z
        .object({ payload: z.object({ checks: z.object({ hubConnection: z.unknown() }) }) })
        .parse(call.body).payload.checks.hubConnection;
    };
    await set(fault);
    // Its acknowledgement is a report.
    await desire({ policy: { note: 'another' } });
    await soon(() => agentFacts(agent)).toMatchObject({
      hub: 'connected',
      hubProblem: expect.stringMatching(cause),
    });
    expect(await hubConnection()).toMatchObject({
      status: 'warn',
      findings: [{ reason: 'offline', message: expect.stringMatching(cause) }],
    });
    await set(cure);
    await soon(async () => (await agentFacts(agent)).hubProblem).toBeUndefined();
    expect(await hubConnection()).toMatchObject({ status: 'pass' });
    expect((await agent.stop()).code).toBe(0);
  },
  60_000,
);

describe('HARDENING_TRANSPORT', () => {
  test('mqttws connects over WebSocket', async () => {
    const { start, reported, simulator } = await createDevice({ webSocketPort: 0 });
    const agent = await start({
      HARDENING_TRANSPORT: 'mqttws',
      IOTEDGE_GATEWAYHOSTNAME: `localhost:${simulator.edgeHub.webSocketPort}`,
    });
    await soon(reported).toMatchObject({ policy: { ac: 200 } });
    expect(await agentFacts(agent)).toMatchObject({
      hub: 'connected',
      hubSince: expect.stringMatching(/Z$/),
    });
    expect((await agent.stop()).code).toBe(0);
  });

  test('unset tries WebSocket after three refused connections, and the report says so', async () => {
    const { start, reported, simulator } = await createDevice({ webSocketPort: 0 });
    const agent = await start({
      IOTEDGE_GATEWAYHOSTNAME: `localhost:${simulator.edgeHub.webSocketPort}`,
    });
    await soon(reported).toMatchObject({ policy: { ac: 200 } });
    const port = simulator.edgeHub.webSocketPort;
    expect(await agentFacts(agent)).toMatchObject({
      hub: 'connected',
      hubProblem: `Connected over WebSocket on port ${port}: 3 MQTT connections to edgeHub on port ${port} were refused or got no answer`,
    });
    expect(agent.out()).toContain(`trying MQTT over WebSocket on port ${port}`);
  });
});

import { expect, test } from 'vitest';
import { z } from 'zod';
import { createDevice, soon } from '../support/programs/device.ts';

const answer = z.object({
  status: z.literal(200),
  payload: z.object({
    summary: z.object({ status: z.string(), findingsLeftOut: z.number() }),
    checks: z.object({ outboundReachability: z.object({ findings: z.array(z.unknown()) }) }),
  }),
});

async function startReadyAgent(patch: object = {}) {
  const device = await createDevice();
  await device.desire({ policy: patch });
  const agent = await device.start();
  await soon(() => agent.get('/readyz')).toEqual({ status: 200, body: 'ok\n' });
  await soon(device.reported).toMatchObject({ policy: { ac: 200 } });
  const invoke = async (name: string, payload?: unknown) =>
    (await device.simulator.admin('POST', `/methods/${name}`, payload)).body;
  return { ...device, agent, invoke };
}

test('each of several overlapping calls gets its own answer', async () => {
  const { invoke } = await startReadyAgent();
  const calls = await Promise.all([
    invoke('runChecks', {}),
    invoke('runChecks', { checks: ['diskSpace'] }),
    invoke('runChecks'),
    invoke('getReport', {}),
    invoke('runChecks', { checks: ['diskSpice'] }),
    invoke('getReport', '"text"'),
    invoke('validatePolicy', { policy: { checks: { diskSpice: {} } } }),
    invoke('nonsense', {}),
  ]);
  expect(calls).toMatchObject([
    { status: 200, payload: { checks: { diskSpace: { status: 'pass' } } } },
    { status: 200, payload: { checks: { diskSpace: { status: 'pass' } } } },
    { status: 200, payload: { checks: { diskSpace: { status: 'pass' } } } },
    { status: 200, payload: { summary: { status: 'fail' } } },
    { status: 400, payload: { error: expect.stringContaining('diskSpace') } },
    { status: 400, payload: { error: expect.any(String) } },
    { status: 200, payload: { accepted: false, problems: [expect.stringContaining('diskSpace')] } },
    { status: 404, payload: { error: expect.stringContaining('nonsense') } },
  ]);
  const { payload } = z.object({ payload: z.object({ checks: z.object({}).loose() }) }).parse(calls[1]);
  expect(Object.keys(payload.checks)).toEqual(['diskSpace']);
});

test('an oversized report is cut to its worst findings, with the number left out', async () => {
  const targets = Array.from({ length: 400 }, (_, i) => `tcp://127.0.${1 + (i >> 8)}.${i & 255}:9`);
  const { invoke, agent } = await startReadyAgent({ checks: { outboundReachability: { targets } } });
  const whole = (await agent.get('/api/report')).body;
  expect(whole.length).toBeGreaterThan(128 * 1024);
  for (const name of ['getReport', 'runChecks']) {
    const { payload } = answer.parse(await invoke(name, {}));
    const { findings } = payload.checks.outboundReachability;
    expect(findings.length).toBeGreaterThan(100);
    expect(findings.length).toBeLessThan(400);
    expect(findings[0]).toMatchObject({ status: 'fail', message: expect.any(String) });
    expect(payload.summary.status).toBe('fail');
    // Passing findings of other checks are left out too.
    expect(payload.summary.findingsLeftOut).toBeGreaterThanOrEqual(400 - findings.length);
  }
});

import { expect, test } from 'vitest';
import { samplesOf } from '../support/exposition.ts';
import { createDevice, soon } from '../support/programs/device.ts';
import { reportShape } from '../support/report-shape.ts';

const minute = 60_000;
const secret = 's3cret-of-another-module';

const module = (name: string, status: object) => ({
  name,
  config: {
    settings: {
      image: `registry.test/${name}:1`,
      createOptions: { Labels: { 'net.azure-devices.edge.env': `{"TOKEN":"${secret}"}` } },
    },
    env: [{ key: 'TOKEN', value: secret }],
  },
  status,
});

const at = (ms: number) => new Date(ms).toISOString();
const running = (startedAt: number) => ({ startTime: at(startedAt), runtimeStatus: { status: 'running' } });
const ended = (status: string, statusCode: string, exitedAt: number) => ({
  startTime: at(exitedAt - minute),
  exitStatus: { exitTime: at(exitedAt), statusCode },
  runtimeStatus: { status },
});

test('modules that crash, end again and again, or are dead are on the report and the metrics page, without their secrets', async () => {
  const device = await createDevice();
  const { simulator, desire } = device;
  await desire({
    policy: { checks: { moduleHealth: { enabled: true, restartsWarn: 2, restartsFail: 3 } } },
  });
  const now = Date.now();
  const list = (press: object) =>
    simulator.admin('PUT', '/modules', [
      module('edgeAgent', running(now - 3_600_000)),
      module('edgeHub', running(now - 3_600_000)),
      module('camera', { ...ended('dead', '1', now) }),
      module('press', press),
      module('web', running(now - 3_600_000)),
    ]);

  /** A start of the agent lists the modules at once; what it saw before is in its state folder. */
  async function look(press: object) {
    await list(press);
    const agent = await device.start();
    await soon(() => agent.get('/readyz')).toEqual({ status: 200, body: 'ok\n' });
    const report = (await agent.get('/api/report')).body;
    const metrics = (await agent.get('/metrics')).body;
    const page = (await agent.get('/')).body;
    expect((await agent.stop()).code).toBe(0);
    for (const text of [report, metrics, page, agent.out(), agent.err()]) expect(text).not.toContain(secret);
    return { findings: reportShape.parse(JSON.parse(report)).checks.moduleHealth?.findings, metrics };
  }

  const first = await look(running(now - 30 * minute));
  expect(first.findings?.map(({ target, status, reason }) => [target, status, reason])).toEqual([
    ['edgeAgent', 'pass', undefined],
    ['edgeHub', 'pass', undefined],
    ['camera', 'fail', 'dead'],
    ['press', 'pass', undefined],
    ['web', 'pass', undefined],
  ]);
  await look(ended('stopped', '0', now - 20 * minute));
  const { findings, metrics } = await look(running(now - 10 * minute));
  expect(findings?.find(({ target }) => target === 'press')).toMatchObject({
    status: 'warn',
    reason: 'restart_loop',
    message: expect.stringMatching(/^press restarted at least 2 times within 60 min/),
  });
  const samples = samplesOf(metrics);
  expect(samples).toContainEqual({
    name: 'hardening_module_restarts_in_window',
    labels: { target: 'press' },
    value: '2',
  });
  expect(samples).toContainEqual({
    name: 'hardening_module_running',
    labels: { target: 'camera' },
    value: '0',
  });
  expect(samples).toContainEqual({
    name: 'hardening_finding_info',
    labels: { check: 'moduleHealth', target: 'press', reason: 'restart_loop' },
    value: '1',
  });
});

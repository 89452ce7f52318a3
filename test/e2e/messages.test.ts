import { expect, test } from 'vitest';
import { samplesOf } from '../support/exposition.ts';
import { createDevice, soon } from '../support/programs/device.ts';

test('alerts that no route takes are a finding in the report and on the metrics, with the route to add', async () => {
  const { start, desire, reported, simulator } = await createDevice();
  await simulator.admin('PUT', '/faults', { messages: 'unrouted' });
  const agent = await start();
  // The certificate that expires soon and the closed port are alerts.
  await soon(() => simulator.edgeHub.counters().unroutedMessages).toBeGreaterThan(1);
  await soon(reported).toMatchObject({ summary: { pending: [] } });

  await desire({ policy: { checks: { messageFlow: { enabled: true } } } });
  await soon(async () => JSON.parse((await agent.get('/api/report')).body).checks.messageFlow).toMatchObject({
    status: 'warn',
    findings: expect.arrayContaining([
      expect.objectContaining({ target: 'upstream', status: 'pass' }),
      expect.objectContaining({ target: 'iothub', status: 'pass' }),
      expect.objectContaining({
        target: 'hardening/alerts',
        status: 'warn',
        reason: 'no_route',
        remedy: expect.stringContaining('"FROM /messages/modules/hardening/outputs/alerts INTO $upstream"'),
      }),
    ]),
  });
  const series = samplesOf((await agent.get('/metrics')).body);
  const flow = series.filter(({ name, labels }) => labels.check === 'messageFlow' && /info$/.test(name));
  expect(flow).toEqual([
    {
      name: 'hardening_finding_info',
      labels: { check: 'messageFlow', target: 'hardening/alerts', reason: 'no_route' },
      value: '1',
    },
  ]);
  const gauge = (wanted: string) => series.find(({ name }) => name === `hardening_${wanted}`);
  expect(gauge('edgehub_upstream_connected')).toMatchObject({ labels: {}, value: '1' });
  expect(gauge('queue_length')).toMatchObject({ labels: { target: 'iothub' }, value: '0' });
  expect(gauge('messages_dropped')).toMatchObject({ labels: { target: 'hardening/alerts' } });
  expect((await agent.stop()).code).toBe(0);
});

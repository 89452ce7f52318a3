import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { simulated } from '../../support/servers/simulator.ts';

const simulator = await simulated();
afterAll(() => simulator.close());
afterEach(() => put({ edgeAgent: null, edgeHub: null }));

const put = (body: unknown) => simulator.admin('PUT', '/edge-metrics', body);

type Component = 'edgeAgent' | 'edgeHub';
const page = async (component: Component) => {
  const url = component === 'edgeHub' ? simulator.edgeHubMetricsUrl : simulator.edgeAgentMetricsUrl;
  return (await fetch(url)).text();
};
/** The lines of one family: its type and its samples, without the labels of the identity. */
const family = async (name: string, component: Component = 'edgeHub') => {
  const lines = (await page(component)).split('\n');
  return lines
    .filter((line) => new RegExp(`^(# TYPE )?${name}(_sum|_count)?[ {]`).test(line))
    .map((line) => line.replace(/iothub="[^"]*",edge_device="[^"]*",instance_number="[^"]*",/, ''));
};

describe('PUT /edge-metrics', () => {
  test('replaces a value and keeps the labels of its sample', async () => {
    expect(await put({ edgeHub: { edgehub_queue_length: 5000 } })).toEqual({
      status: 200,
      body: { edgeAgent: null, edgeHub: { edgehub_queue_length: 5000 } },
    });
    expect(await family('edgehub_queue_length')).toEqual([
      '# TYPE edgehub_queue_length gauge',
      'edgehub_queue_length{endpoint="iothub",priority="2000000000",ms_telemetry="True"} 5000',
    ]);
    expect(await simulator.admin('GET', '/edge-metrics')).toMatchObject({
      body: { edgeHub: { edgehub_queue_length: 5000 } },
    });
  });

  test('gives a value the usual labels of a counter that has counted nothing yet', async () => {
    await put({ edgeHub: { edgehub_messages_dropped_total: 5, edgehub_offline_duration_seconds_count: 0 } });
    expect((await family('edgehub_messages_dropped_total')).at(-1)).toBe(
      'edgehub_messages_dropped_total{reason="ttl_expiry",from="simulated-edge/hardening",from_route_output="alerts",ms_telemetry="True"} 5',
    );
    expect((await family('edgehub_offline_duration_seconds')).at(-1)).toBe(
      'edgehub_offline_duration_seconds_count{id="simulated-edge/$edgeHub",ms_telemetry="True"} 0',
    );
  });

  test('replaces a metric by samples with labels, which the identity surrounds', async () => {
    const dropped = { reason: 'no_route', from: 'simulated-edge/filter', from_route_output: 'alarms' };
    await put({
      edgeHub: {
        edgehub_messages_dropped_total: [
          { ...dropped, value: 3 },
          { ...dropped, reason: 'ttl_expiry', value: 1e6 },
        ],
      },
    });
    expect(await family('edgehub_messages_dropped_total')).toEqual([
      '# TYPE edgehub_messages_dropped_total counter',
      'edgehub_messages_dropped_total{reason="no_route",from="simulated-edge/filter",from_route_output="alarms",ms_telemetry="True"} 3',
      'edgehub_messages_dropped_total{reason="ttl_expiry",from="simulated-edge/filter",from_route_output="alarms",ms_telemetry="True"} 1000000',
    ]);
    expect(await page('edgeHub')).toMatch(
      /^edgehub_messages_dropped_total\{iothub="simulator\.azure-devices\.net",edge_device="simulated-edge",instance_number="[0-9a-f-]{36}",reason=/m,
    );
  });

  test('writes sums, counts and quantiles as one summary', async () => {
    const id = 'simulated-edge/$edgeHub';
    await put({
      edgeHub: {
        edgehub_offline_duration_seconds: [{ id, quantile: '0.5', value: 'NaN' }],
        edgehub_offline_duration_seconds_sum: [{ id, value: 93.2 }],
        edgehub_offline_duration_seconds_count: [{ id, value: 2 }],
      },
    });
    expect(await family('edgehub_offline_duration_seconds')).toEqual([
      '# TYPE edgehub_offline_duration_seconds summary',
      `edgehub_offline_duration_seconds{id="${id}",ms_telemetry="True",quantile="0.5"} NaN`,
      `edgehub_offline_duration_seconds_sum{id="${id}",ms_telemetry="True"} 93.2`,
      `edgehub_offline_duration_seconds_count{id="${id}",ms_telemetry="True"} 2`,
    ]);
  });

  test.each([[null], [[]]])('takes the samples of a metric away with %j', async (none) => {
    await put({ edgeHub: { edgehub_offline_duration_seconds_count: none } });
    expect(await family('edgehub_offline_duration_seconds')).toEqual([
      '# TYPE edgehub_offline_duration_seconds summary',
    ]);
  });

  test('adds a metric of any name, with the labels that the real one has', async () => {
    await put({
      edgeAgent: { edgeagent_direct_method_invocations_count: [{ method_name: 'ping', value: 2 }] },
      edgeHub: {
        edgehub_client_connect_failed_total: [{ id: 'gw/x', reason: 'not_authenticated', value: 7 }],
      },
    });
    expect(await page('edgeAgent')).toContain(
      '# TYPE edgeagent_direct_method_invocations_count counter\nedgeagent_direct_method_invocations_count{method_name="ping"} 2\n',
    );
    expect(await family('edgehub_client_connect_failed_total')).toContain(
      'edgehub_client_connect_failed_total{id="gw/x",reason="not_authenticated"} 7',
    );
  });

  test('changes the instance number, as when the module restarts', async () => {
    await put({ edgeHub: { instance_number: 'b' } });
    expect(await page('edgeHub')).toContain('instance_number="b"');
    expect(await page('edgeAgent')).not.toContain('instance_number="b"');
  });

  test('replaces a whole page by text, as it is', async () => {
    const text = '# TYPE x gauge\nx{a="\\"b"} NaN\nnot exposition';
    await put({ edgeAgent: text });
    expect(await page('edgeAgent')).toBe(text);
    expect(await page('edgeHub')).toContain('edgehub_queue_length');
  });

  test('replaces what was set for a component, and null resets it', async () => {
    await put({ edgeHub: { edgehub_queue_length: 5 }, edgeAgent: 'x 1\n' });
    await put({ edgeHub: { edgehub_connected_clients: 3 } });
    expect((await family('edgehub_queue_length')).at(-1)).toMatch(/ 0$/);
    expect((await family('edgehub_connected_clients')).at(-1)).toMatch(/ 3$/);
    expect(await page('edgeAgent')).toBe('x 1\n');
    await put({ edgeAgent: null });
    expect(await page('edgeAgent')).toContain('edgeAgent_metadata');
  });

  test.each<[unknown, string]>([
    [[], 'The body must be an object with edgeAgent or edgeHub, got []'],
    [{ edgehub: {} }, 'A key of the body must be one of edgeAgent, edgeHub, got "edgehub"'],
    [{ edgeHub: 5 }, 'edgeHub must be a page of metrics as text, an object of metrics, or null, got 5'],
    [{ edgeHub: { 'a b': 1 } }, 'A key of edgeHub must be the name of a metric, got "a b"'],
    [{ edgeHub: { a: true } }, 'edgeHub.a must be a number, "NaN", "+Inf" or "-Inf", got true'],
    [{ edgeHub: { a: [1] } }, 'edgeHub.a[0] must be an object with "value" and labels, got 1'],
    [
      { edgeHub: { a: [{ id: 'x' }] } },
      'edgeHub.a[0].value must be a number, "NaN", "+Inf" or "-Inf", got nothing',
    ],
    [{ edgeHub: { a: [{ id: 1, value: 1 }] } }, 'edgeHub.a[0].id must be a text, got 1'],
    [
      { edgeHub: { a: [{ 'a b': 'x', value: 1 }] } },
      'A label of edgeHub.a[0] must be letters, digits and underscores, got "a b"',
    ],
    [
      {
        edgeHub: {
          a: [
            { id: 'x', to: 'y', value: 1 },
            { to: 'y', id: 'x', value: 2 },
          ],
        },
      },
      'edgeHub.a[1] repeats the labels of edgeHub.a[0]: give each sample other labels',
    ],
    [
      { edgeHub: { a: [{ value: 1 }, { id: 'x', value: 1 }, { value: 1, id: '' }] } },
      'edgeHub.a[2] repeats the labels of edgeHub.a[0]: give each sample other labels',
    ],
    [{ edgeHub: { instance_number: 1 } }, 'edgeHub.instance_number must be a text, got 1'],
  ])('rejects %j, names the field and changes nothing', async (body, error) => {
    await put({ edgeAgent: 'x 1\n' });
    expect(await put(body)).toEqual({ status: 400, body: { error } });
    expect(await simulator.admin('GET', '/edge-metrics')).toMatchObject({
      body: { edgeAgent: 'x 1\n', edgeHub: null },
    });
  });
});

test('edgeHub counts when IoT Hub was away, and for how long', async () => {
  const upstream = async () => {
    const text = await page('edgeHub');
    const value = (name: string) =>
      /([\d.]+)$/m.exec(new RegExp(`^${name}\\{.*`, 'm').exec(text)?.[0] ?? '')?.[1];
    return [value('edgehub_offline_duration_seconds_count'), value('edgehub_offline_count_total')];
  };
  expect(await upstream()).toEqual(['1', undefined]);
  await simulator.admin('PUT', '/faults', { twin: 'stored' });
  expect(await upstream()).toEqual(['1', '1']);
  await simulator.admin('PUT', '/faults', { twin: 'offline' });
  expect(await upstream()).toEqual(['1', '1']);
  await simulator.admin('PUT', '/faults', { twin: 'normal' });
  expect(await upstream()).toEqual(['2', '1']);
  expect(await page('edgeHub')).toMatch(/^edgehub_offline_duration_seconds_sum\{.*\} 0\.\d+$/m);
});

import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import { HttpError, serve } from '../http.ts';
import { clientIdOf, type Identity } from '../workload/identity.ts';
import type { ListedModule, ModuleList } from '../workload/modules.ts';
import { type Component, components, type EdgeMetrics } from './edge-metrics.ts';
import { counter, gauge, type Metric, render, type Sample } from './exposition.ts';

/** edgeHub's counters since its start. */
export interface Counters {
  readonly connectedClients: number;
  readonly connects: number;
  readonly refusedConnects: number;
  readonly disconnects: number;
  readonly twinReads: number;
  readonly reportedUpdates: number;
  readonly messages: number;
  /** Those of them that no route took. */
  readonly unroutedMessages: number;
  /** Messages that wait until IoT Hub is reachable. */
  readonly queuedMessages: number;
  readonly methods: number;
  /** How often IoT Hub was lost. */
  readonly offlineCount: number;
  /** How often it was reached: at the start, and again after each loss that has ended. */
  readonly onlineCount: number;
  /** In all losses that have ended. */
  readonly offlineSeconds: number;
}

export interface MetricsOptions {
  readonly identity: Identity;
  readonly modules: ModuleList;
  readonly edgeMetrics: EdgeMetrics;
  counters(): Counters;
}

/**
 * Creates a server with the metrics of edgeAgent and edgeHub, as prometheus-net writes them: names, types and labels are
 * those of their source (edge-util/Metrics, edge-hub, edge-agent). edgeHub's values are real, and a counter is absent until
 * it has counted something; edgeAgent's are sample values, except times and modules. `edgeMetrics` replaces them.
 */
export function createMetrics(options: MetricsOptions): Server {
  const startedAt = Date.now();
  const { identity, edgeMetrics } = options;
  // GUIDs that change with every start.
  const instances: Readonly<Record<Component, string>> = { edgeAgent: randomUUID(), edgeHub: randomUUID() };
  const metricsOf: Readonly<Record<Component, () => Metric[]>> = {
    edgeAgent: () => agentMetrics(options, Math.floor((Date.now() - startedAt) / 1000)),
    edgeHub: () => hubMetrics(options),
  };

  const pageOf = (component: Component): string => {
    const change = edgeMetrics.change(component);
    if (typeof change === 'string') return change;
    const instance = change?.instance ?? instances[component];
    const metrics = changed(metricsOf[component](), change?.metrics ?? new Map());
    return render(metrics, (metric, { quantile, ...own }) => ({
      ...(unidentified.test(metric) ? {} : identityLabels(identity, instance)),
      ...own,
      ...(withoutTelemetry.test(metric) ? {} : { ms_telemetry: 'True' }),
      ...(quantile !== undefined && { quantile }),
    }));
  };
  const pages = new Map(components.map((component) => [`/${component}/metrics`, component]));
  return serve('error', ({ method, path }) => {
    if (method !== 'GET') throw new HttpError(405, `${method} is not allowed, only GET`);
    const component = pages.get(path);
    if (component) return { status: 200, body: pageOf(component) };
    throw new HttpError(404, `Not found: ${path}. Available: ${[...pages.keys()].join(', ')}`);
  });
}

const identityLabels = ({ iothub, deviceId }: Identity, instance: string) => ({
  iothub,
  edge_device: deviceId,
  instance_number: instance,
});

const unidentified = /^edgeagent_direct_method_invocations_count$/;
const withoutTelemetry =
  /^edgehub_(client_connect_(success|failed)_total|client_disconnect_total|connected_clients)$|^edgeagent_direct_method_invocations_count$/;

/** Metrics with some replaced. A value without labels gets the usual ones. */
function changed(metrics: readonly Metric[], changes: ReadonlyMap<string, Metric>): Metric[] {
  const withLabels = ({ samples, ...metric }: Metric, before: Metric | undefined): Metric => ({
    ...before,
    ...metric,
    samples: samples.map(([labels, ...rest]): Sample => {
      const own = Object.keys(labels).length > 0 ? labels : (before?.labels ?? {});
      return [own, ...rest];
    }),
  });
  const names = new Set(metrics.map(({ name }) => name));
  return [
    ...metrics.map((metric) => {
      const change = changes.get(metric.name);
      return change ? withLabels(change, metric) : metric;
    }),
    ...[...changes.values()].filter(({ name }) => !names.has(name)),
  ];
}

/** A counter with labels has no sample before its first event. */
const counted = (
  name: string,
  help: string,
  value: number,
  labels: Readonly<Record<string, string>>,
): Metric => ({
  ...counter(name, help, value, labels),
  samples: value === 0 ? [] : [[labels, value]],
});

function hubMetrics({ identity, counters }: MetricsOptions): Metric[] {
  const id = clientIdOf(identity);
  const hub = { id: `${identity.deviceId}/$edgeHub` };
  const alerts = { from: id, from_route_output: 'alerts' };
  const counts = counters();
  return [
    gauge(
      'edgehub_connected_clients',
      'Current number of clients connected to edgeHub',
      counts.connectedClients,
    ),
    counted('edgehub_client_connect_success_total', 'Client connected', counts.connects, { id }),
    counted('edgehub_client_connect_failed_total', 'Client failed to connect', counts.refusedConnects, {
      id,
      reason: 'not_authenticated',
    }),
    counted('edgehub_client_disconnect_total', 'Client disconnected', counts.disconnects, { id }),
    counted('edgehub_gettwin_total', 'GetTwin calls', counts.twinReads, { source: 'upstream', id }),
    counted('edgehub_reported_properties_total', 'Reported property updates', counts.reportedUpdates, {
      target: 'upstream',
      id,
    }),
    counted('edgehub_messages_received_total', 'Messages received from clients', counts.messages, {
      id,
      route_output: 'alerts',
    }),
    counted('edgehub_direct_methods_total', 'Direct methods', counts.methods, { from: 'upstream', to: id }),
    gauge('edgehub_queue_length', 'Number of messages pending to be processed', counts.queuedMessages, {
      endpoint: 'iothub',
      priority: '2000000000',
    }),
    {
      ...counted('edgehub_messages_dropped_total', 'Messages dropped', counts.unroutedMessages, {
        reason: 'no_route',
        ...alerts,
      }),
      labels: { reason: 'ttl_expiry', ...alerts },
    },
    counted('edgehub_offline_count_total', 'Times edgeHub went offline', counts.offlineCount, hub),
    {
      name: 'edgehub_offline_duration_seconds',
      type: 'summary',
      help: 'Time that edgeHub was offline',
      samples: [
        ...['0.1', '0.5', '0.9', '0.99'].map((quantile): Sample => [{ ...hub, quantile }, Number.NaN]),
        [hub, counts.offlineSeconds, '_sum'],
        [hub, counts.onlineCount, '_count'],
      ],
      labels: hub,
    },
  ];
}

function agentMetrics({ modules: list }: MetricsOptions, upSeconds: number): Metric[] {
  const modules = list.list().filter(({ name }) => name !== 'edgeAgent');
  const disk = { disk_name: 'sda9', disk_filesystem: 'ext4', disk_filetype: 'SSD' };
  const perModule = (
    value: (module: ListedModule) => number,
    more: Record<string, string> = {},
  ): Metric['samples'] => modules.map((module) => [{ module_name: module.name, ...more }, value(module)]);
  const isUp = ({ status }: ListedModule) => status.runtimeStatus.status === 'running';
  const version = { module_version: '1.0' };
  return [
    {
      ...gauge(
        'edgeAgent_total_time_running_correctly_seconds',
        'Time the module has been running correctly',
        0,
      ),
      samples: perModule((module) => (isUp(module) ? upSeconds : 0)),
    },
    {
      ...gauge('edgeAgent_total_time_expected_running_seconds', 'Time the module was expected to run', 0),
      samples: perModule(() => upSeconds),
    },
    {
      ...counter('edgeAgent_module_start_total', 'Start commands sent to a module', 0),
      samples: perModule((module) => (isUp(module) ? 1 : 4), version),
    },
    {
      ...counter('edgeAgent_module_stop_total', 'Stop commands sent to a module', 0),
      samples: perModule((module) => (isUp(module) ? 0 : 4), version),
    },
    counter('edgeAgent_iothub_syncs_total', 'Twin syncs with IoT Hub, successful and failed', 1),
    counter('edgeAgent_unsuccessful_iothub_syncs_total', 'Twin syncs with IoT Hub that failed', 0),
    gauge('edgeAgent_host_uptime_seconds', 'Uptime of the host', upSeconds + 600),
    gauge('edgeAgent_iotedged_uptime_seconds', 'Uptime of iotedged', upSeconds + 540),
    gauge('edgeAgent_available_disk_space_bytes', 'Available space on the disk', 9_663_676_416, disk),
    gauge('edgeAgent_total_disk_space_bytes', 'Size of the disk', 17_179_869_184, disk),
    gauge('edgeAgent_metadata', 'General metadata about the device', 0, {
      edge_agent_version: '1.6.0',
      experimental_features: '{}',
      host_information: hostInformation,
    }),
  ];
}

const hostInformation = JSON.stringify({
  OperatingSystemType: 'linux',
  Architecture: 'x86_64',
  Version: '1.6.0',
  Provisioning: { Type: 'ProvisioningType', DynamicReprovisioning: false, AlwaysReprovisionOnStartup: false },
  ServerVersion: '25.0.3',
  // The output of `uname -v`, and the system's id without a version.
  KernelVersion: '#1 SMP PREEMPT_DYNAMIC Fri Sep 5 10:12:31 UTC 2025',
  OperatingSystem: 'azurelinux',
  NumCpus: 2,
  Virtualized: 'yes',
});

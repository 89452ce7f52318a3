import type { Server } from 'node:http';
import { HttpError, serve } from '../http.ts';
import { clientIdOf, type Identity } from '../workload/identity.ts';
import { counter, gauge, type Metric, render } from './exposition.ts';

/** edgeHub's counters since its start. */
export interface Counters {
  readonly connectedClients: number;
  readonly connects: number;
  readonly refusedConnects: number;
  readonly disconnects: number;
  readonly twinReads: number;
  readonly reportedUpdates: number;
  readonly messages: number;
  /** Messages that wait until IoT Hub is reachable. */
  readonly queuedMessages: number;
  readonly methods: number;
}

export interface MetricsOptions {
  readonly identity: Identity;
  /** A GUID that changes with every start. */
  readonly instance: string;
  counters(): Counters;
}

/**
 * Creates a server with the metrics of edgeAgent and edgeHub. Names and labels are those of iotedge's
 * doc/BuiltInMetrics.md. edgeHub's values are real; edgeAgent's are sample values, except the times.
 */
export function createMetrics(options: MetricsOptions): Server {
  const startedAt = Date.now();
  const common = {
    iothub: options.identity.iothub,
    edge_device: options.identity.deviceId,
    instance_number: options.instance,
    ms_telemetry: 'True',
  };
  return serve('error', ({ method, path }) => {
    if (method !== 'GET') throw new HttpError(405, `${method} is not allowed, only GET`);
    const upSeconds = Math.floor((Date.now() - startedAt) / 1000);
    if (path === '/edgeAgent/metrics')
      return { status: 200, body: render(agentMetrics(options, upSeconds), common) };
    if (path === '/edgeHub/metrics') return { status: 200, body: render(hubMetrics(options), common) };
    throw new HttpError(404, `Not found: ${path}. Available: /edgeAgent/metrics, /edgeHub/metrics`);
  });
}

function hubMetrics({ identity, counters }: MetricsOptions): Metric[] {
  const id = clientIdOf(identity);
  const counts = counters();
  return [
    gauge(
      'edgehub_connected_clients',
      'Current number of clients connected to edgeHub',
      counts.connectedClients,
    ),
    counter('edgehub_client_connect_success_total', 'Client connected', counts.connects, { id }),
    counter('edgehub_client_connect_failed_total', 'Client failed to connect', counts.refusedConnects, {
      id,
      reason: 'not_authenticated',
    }),
    counter('edgehub_client_disconnect_total', 'Client disconnected', counts.disconnects, { id }),
    counter('edgehub_gettwin_total', 'GetTwin calls', counts.twinReads, { source: 'upstream', id }),
    counter('edgehub_reported_properties_total', 'Reported property updates', counts.reportedUpdates, {
      target: 'upstream',
      id,
    }),
    counter('edgehub_messages_received_total', 'Messages received from clients', counts.messages, {
      route_output: 'alerts',
      id,
    }),
    counter('edgehub_direct_methods_total', 'Direct methods', counts.methods, { from: 'upstream', to: id }),
    gauge('edgehub_queue_length', 'Number of messages pending to be processed', counts.queuedMessages, {
      endpoint: 'iothub',
      priority: '2000000000',
    }),
    counter('edgehub_messages_dropped_total', 'Messages dropped', 0, {
      reason: 'ttl_expiry',
      from: id,
      from_route_output: 'alerts',
    }),
    counter('edgehub_offline_count_total', 'Times edgeHub went offline', 0, {
      id: `${identity.deviceId}/$edgeHub`,
    }),
  ];
}

function agentMetrics({ identity }: MetricsOptions, upSeconds: number): Metric[] {
  const modules = ['edgeHub', identity.moduleId, 'plcGateway'];
  const disk = { disk_name: 'sda9', disk_filesystem: 'ext4', disk_filetype: 'SSD' };
  const perModule = (
    value: (module: string) => number,
    more: Record<string, string> = {},
  ): Metric['samples'] => modules.map((module_name) => [{ module_name, ...more }, value(module_name)]);
  const isUp = (module: string) => module !== 'plcGateway';
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
  ServerVersion: '24.0.9',
  KernelVersion: '5.15.153.1-microsoft',
  OperatingSystem: 'CBL-Mariner/Linux',
  NumCpus: 2,
  Virtualized: 'yes',
});

import type { Server } from 'node:http';
import { HttpError, serve } from '../http.ts';
import { clientIdOf, type Identity } from '../workload/identity.ts';
import { counter, gauge, type Metric, render } from './exposition.ts';

/** What edgeHub counts since its start. */
export interface Counters {
  readonly connectedClients: number;
  readonly connects: number;
  readonly refusedConnects: number;
  readonly disconnects: number;
  readonly twinReads: number;
  readonly reportedUpdates: number;
  readonly messages: number;
  readonly methods: number;
}

export interface MetricsOptions {
  readonly identity: Identity;
  /** A GUID that changes with every start. */
  readonly instance: string;
  counters(): Counters;
}

/**
 * The metrics pages of edgeAgent and edgeHub, under `/edgeAgent/metrics` and `/edgeHub/metrics` of one server. Names
 * and labels are those of iotedge's doc/BuiltInMetrics.md. edgeHub's numbers are the simulator's own; edgeAgent's
 * are made up, but for the times.
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
    if (method !== 'GET') throw new HttpError(405, `${method} is not possible here, only GET`);
    const upSeconds = Math.floor((Date.now() - startedAt) / 1000);
    if (path === '/edgeAgent/metrics')
      return { status: 200, body: render(agentMetrics(options, upSeconds), common) };
    if (path === '/edgeHub/metrics') return { status: 200, body: render(hubMetrics(options), common) };
    throw new HttpError(404, `There is no ${path}; see /edgeAgent/metrics and /edgeHub/metrics`);
  });
}

function hubMetrics({ identity, counters }: MetricsOptions): Metric[] {
  const id = clientIdOf(identity);
  const counted = counters();
  return [
    gauge(
      'edgehub_connected_clients',
      'Current number of clients connected to edgeHub',
      counted.connectedClients,
    ),
    counter('edgehub_client_connect_success_total', 'Client connected', counted.connects, { id }),
    counter('edgehub_client_connect_failed_total', 'Client failed to connect', counted.refusedConnects, {
      id,
      reason: 'not_authenticated',
    }),
    counter('edgehub_client_disconnect_total', 'Client disconnected', counted.disconnects, { id }),
    counter('edgehub_gettwin_total', 'GetTwin calls', counted.twinReads, { source: 'upstream', id }),
    counter('edgehub_reported_properties_total', 'Reported property updates', counted.reportedUpdates, {
      target: 'upstream',
      id,
    }),
    counter('edgehub_messages_received_total', 'Messages received from clients', counted.messages, {
      route_output: 'alerts',
      id,
    }),
    counter('edgehub_direct_methods_total', 'Direct methods', counted.methods, { from: 'upstream', to: id }),
    gauge('edgehub_queue_length', 'Number of messages pending to be processed', 0, {
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
  const each = (amount: (module: string) => number, more: Record<string, string> = {}): Metric['samples'] =>
    modules.map((module_name) => [{ module_name, ...more }, amount(module_name)]);
  const isUp = (module: string) => module !== 'plcGateway';
  const version = { module_version: '1.0' };
  return [
    {
      ...gauge('edgeAgent_total_time_running_correctly_seconds', 'Time running as it should', 0),
      samples: each((module) => (isUp(module) ? upSeconds : 0)),
    },
    {
      ...gauge('edgeAgent_total_time_expected_running_seconds', 'Time it should have been running', 0),
      samples: each(() => upSeconds),
    },
    {
      ...counter('edgeAgent_module_start_total', 'Start commands sent to a module', 0),
      samples: each((module) => (isUp(module) ? 1 : 4), version),
    },
    {
      ...counter('edgeAgent_module_stop_total', 'Stop commands sent to a module', 0),
      samples: each((module) => (isUp(module) ? 0 : 4), version),
    },
    counter('edgeAgent_iothub_syncs_total', 'Twin syncs with IoT Hub, good and bad', 1),
    counter('edgeAgent_unsuccessful_iothub_syncs_total', 'Twin syncs with IoT Hub that failed', 0),
    gauge('edgeAgent_host_uptime_seconds', 'How long the host has been on', upSeconds + 600),
    gauge('edgeAgent_iotedged_uptime_seconds', 'How long iotedged has been running', upSeconds + 540),
    gauge('edgeAgent_available_disk_space_bytes', 'Amount of space left on the disk', 9_663_676_416, disk),
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

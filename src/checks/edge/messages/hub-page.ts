import type { MetricSample, RuntimeMetrics } from '../../../host/edge/types.ts';

/** Why edgeHub drops a message, as its counter says. */
export type DropReason = 'no_route' | 'ttl_expiry';

/** What edgeHub's page says of messages. A counter is absent until it has counted something. */
export interface HubPage {
  /** Messages dropped, by `<reason> <module>/<output>`. */
  readonly drops: ReadonlyMap<string, number>;
  /** Connections refused, by the client's id. */
  readonly refused: ReadonlyMap<string, number>;
  /** Messages that wait, by `iothub` or `<module>/<input>`; all priorities of all devices. */
  readonly queues: ReadonlyMap<string, number>;
  /** Undefined where edgeHub has not been connected to IoT Hub since its start. */
  readonly upstream: { readonly connected: boolean; readonly losses: number } | undefined;
}

// Beyond, two names may become one.
const maxTargetLength = 128;

/** Reads what edgeHub counts. `device` is this device's id, where it is known. */
export function readHubPage({ samples }: RuntimeMetrics, device: string | undefined): HubPage {
  const known = samples.filter(({ value }) => Number.isFinite(value));
  const sumsOf = (metric: string, nameOf: (labels: MetricSample['labels']) => string | undefined) => {
    const sums = new Map<string, number>();
    for (const { name, labels, value } of known) {
      const target = name === metric ? nameOf(labels) : undefined;
      if (target !== undefined) sums.set(target, (sums.get(target) ?? 0) + value);
    }
    return sums;
  };
  return {
    drops: sumsOf('edgehub_messages_dropped_total', dropName),
    refused: sumsOf('edgehub_client_connect_failed_total', ({ id }) => id && printable(id)),
    queues: sumsOf('edgehub_queue_length', ({ endpoint }) => endpoint && printable(queueName(endpoint))),
    upstream: upstreamOf(known, device),
  };
}

function dropName({
  reason,
  from = '',
  from_route_output: output,
}: MetricSample['labels']): string | undefined {
  if (reason !== 'no_route' && reason !== 'ttl_expiry') return undefined;
  // The id of a module is `<device>/<module>`, that of a downstream device has no slash.
  const sender = from.slice(from.indexOf('/') + 1);
  return printable(`${reason} ${sender}${output ? `/${output}` : ''}`);
}

/** `iothub`, or `<device>/<module>/<input>` without the device. */
const queueName = (endpoint: string): string => {
  const [device = '', ...more] = endpoint.split('/');
  return more.length > 1 ? more.join('/') : [device, ...more].join('/');
};

/** A name as a target: foreign text, which is kept in the state file and shown everywhere. */
const printable = (name: string): string => name.slice(0, maxTargetLength).replaceAll(/[^ -~]/g, '?');

/**
 * edgeHub starts without a connection and counts each end of that as an offline duration; each later loss counts as offline
 * (DeviceConnectivityManager.cs). So the difference is 1 with a connection and 0 without.
 */
function upstreamOf(samples: readonly MetricSample[], device: string | undefined): HubPage['upstream'] {
  const isHub = ({ id = '' }: MetricSample['labels']) =>
    device === undefined ? id.endsWith('/$edgeHub') : id === `${device}/$edgeHub`;
  const seriesOf = (metric: string) =>
    samples.find(({ name, labels }) => name === metric && isHub(labels))?.value;
  const losses = seriesOf('edgehub_offline_count_total');
  const ends = seriesOf('edgehub_offline_duration_seconds_count');
  if (losses === undefined && ends === undefined) return undefined;
  return { connected: (ends ?? 0) - (losses ?? 0) > 0, losses: losses ?? 0 };
}

import type { MetricSample } from '../../../src/host/edge/types.ts';
import { container } from '../../support/fixtures/container.ts';
import { memoryOf } from '../../support/fixtures/fake-host.ts';
import { type Sample, sampleNow } from '../../support/fixtures/samples.ts';

const startedAt = new Date(sampleNow.getTime() - 86_400_000);
const identity = {
  iothub: 'example.azure-devices.net',
  edge_device: 'line-4-gateway',
  instance_number: '0b0e4a5a-9f0e-4f0e-8f52-5c0f4f6f5a77',
};
const hub = { id: 'line-4-gateway/$edgeHub' };

const queue = (endpoint: string, value: number) =>
  ['0', '2000000000'].map((priority) => ({
    name: 'edgehub_queue_length',
    labels: { endpoint, priority },
    value: value / 2,
  }));

/** A device with ten modules, of which four read messages of others. */
const device = (...more: readonly MetricSample[]) => ({
  runtimeMetrics: async () => ({
    readAt: sampleNow,
    instance: identity.instance_number,
    samples: [
      { name: 'edgehub_offline_duration_seconds_count', labels: hub, value: 1 },
      ...queue('iothub', 12),
      ...['filter', 'store', 'opcua', 'anomaly'].flatMap((name) => queue(`line-4-gateway/${name}/in`, 0)),
      ...more,
    ].map((sample) => ({ ...sample, labels: { ...identity, ...sample.labels } })),
  }),
  modules: async () => ({
    listedAt: sampleNow,
    uptimeSeconds: 0,
    modules: ['edgeAgent', 'edgeHub'].map((name) => ({
      name,
      image: `mcr.microsoft.com/azureiotedge-${name === 'edgeHub' ? 'hub' : 'agent'}:1.6`,
      labelsHash: 'a',
      state: 'running' as const,
      startedAt,
      storage: name === 'edgeAgent' ? { folder: '/iotedge/storage/edgeAgent', isMounted: true } : undefined,
    })),
  }),
  containers: async () => [
    container({
      name: 'edgeHub',
      mounts: [
        { type: 'bind', source: '/var/lib/iotedge/edgeHub', target: '/iotedge/storage', isWritable: true },
      ],
      storageFolder: '/iotedge/storage',
    }),
  ],
  alerts: () => ({ source: 'hardening/alerts', lastAt: new Date(sampleNow.getTime() - 60_000) }),
  memory: memoryOf(() => []),
});

export const sample: Sample = {
  check: 'messageFlow',
  good: { host: device() },
  bad: {
    // The first look, after an alert was sent.
    host: device({
      name: 'edgehub_messages_dropped_total',
      labels: { reason: 'no_route', from: 'line-4-gateway/hardening', from_route_output: 'alerts' },
      value: 3,
    }),
    status: 'warn',
    reason: 'no_route',
  },
  demonstration: { policy: () => ({}) },
};

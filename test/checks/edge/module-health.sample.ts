import type { EdgeModule } from '../../../src/host/edge/types.ts';
import { memoryOf } from '../../support/fixtures/fake-host.ts';
import { type Sample, sampleNow } from '../../support/fixtures/samples.ts';

const names = [
  'edgeAgent',
  'edgeHub',
  'hardening',
  'opc',
  'press',
  'camera',
  'store',
  'rules',
  'web',
  'backup',
];
const startedAt = new Date(sampleNow.getTime() - 86_400_000);

const running = (name: string): EdgeModule => ({
  name,
  image: `registry.example.com/${name}:1.0.0`,
  imageHash: `sha256:${name}`,
  labelsHash: 'labels',
  state: 'running',
  startedAt,
});

const device = (last: Partial<EdgeModule>) => ({
  modules: async () => ({
    listedAt: sampleNow,
    uptimeSeconds: 90_000,
    modules: names.map((name) => ({ ...running(name), ...(name === 'backup' ? last : {}) })),
  }),
  runtimeMetrics: async () => ({ readAt: sampleNow, instance: 'instance', samples: [] }),
  memory: memoryOf(() => []),
});

export const sample: Sample = {
  check: 'moduleHealth',
  good: { host: device({}) },
  bad: {
    host: device({ state: 'failed', exit: { at: startedAt, code: 139 } }),
    status: 'fail',
    reason: 'failed',
  },
  // Whether plcGateway has failed for long enough depends on the uptime of the machine.
  demonstration: { policy: () => ({ expected: ['edgeAgent', 'edgeHub'] }) },
};

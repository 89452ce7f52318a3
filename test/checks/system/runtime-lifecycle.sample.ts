import { engineFacts } from '../../support/fixtures/engine.ts';
import { type Sample, sampleNow } from '../../support/fixtures/samples.ts';

const metadata = (daemon: string) => ({
  runtimeMetrics: async () => ({
    readAt: sampleNow,
    instance: 'a',
    samples: [
      {
        name: 'edgeAgent_metadata',
        value: 0,
        labels: { host_information: JSON.stringify({ Version: daemon, ServerVersion: '25.0.3' }) },
      },
    ],
  }),
});
const device = (daemon: string) => ({
  ...metadata(daemon),
  modules: async () => ({
    listedAt: sampleNow,
    uptimeSeconds: 0,
    modules: ['Agent', 'Hub'].map((name) => ({
      name: `edge${name}`,
      image: `mcr.microsoft.com/azureiotedge-${name.toLowerCase()}:1.6`,
      labelsHash: '',
      state: 'running' as const,
    })),
  }),
  system: async () => ({
    id: 'ubuntu',
    version: '24.04',
    source: 'os-release' as const,
    hasEflowFiles: false,
  }),
  engine: async () => engineFacts(),
});

export const sample: Sample = {
  check: 'runtimeLifecycle',
  // Engine 25 ends in two weeks.
  good: { host: device('1.6.4'), policy: { warnDays: 7 } },
  bad: { host: device('1.4.27'), status: 'fail', reason: 'end_of_life' },
  demonstration: { policy: () => ({}) },
};

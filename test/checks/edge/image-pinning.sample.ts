import type { EdgeModule } from '../../../src/host/edge/types.ts';
import { type Sample, sampleNow } from '../../support/fixtures/samples.ts';

const module = (name: string, image: string): EdgeModule => ({
  name,
  image,
  labelsHash: '',
  state: 'running',
});
const pinned = (name: string) =>
  module(name, `mcr.microsoft.com/${name.toLowerCase()}@sha256:${'0'.repeat(64)}`);
const names = ['edgeAgent', 'edgeHub', ...Array.from({ length: 8 }, (_, i) => `module${i}`)];

export const sample: Sample = {
  check: 'imagePinning',
  good: {
    host: { modules: async () => ({ listedAt: sampleNow, uptimeSeconds: 0, modules: names.map(pinned) }) },
  },
  bad: {
    host: {
      modules: async () => ({
        listedAt: sampleNow,
        uptimeSeconds: 0,
        modules: [module('plc', 'acme.test/plc:latest')],
      }),
    },
    status: 'warn',
    reason: 'latest',
  },
  demonstration: { policy: () => ({}), status: 'warn' },
};

import type { EdgeModule } from '../../../src/host/edge/types.ts';
import { container } from '../../support/fixtures/container.ts';
import { type Sample, sampleNow } from '../../support/fixtures/samples.ts';

const device = (own: string | undefined) => {
  const proxy = { https: 'proxy.plant:3128', noProxy: [] };
  const agent: EdgeModule = { name: 'edgeAgent', image: 'a', labelsHash: '', state: 'running', proxy };
  return {
    modules: async () => ({ listedAt: sampleNow, uptimeSeconds: 0, modules: [agent] }),
    containers: async () => [container({ name: 'edgeHub', proxy })],
    ownProxy: () => ({ https: own, bypasses: () => true }),
  };
};

export const sample: Sample = {
  check: 'proxySettings',
  good: { host: device('proxy.plant:3128') },
  bad: { host: device(undefined), status: 'warn', reason: 'missing' },
  demonstration: { policy: () => ({}), status: 'pass' },
};

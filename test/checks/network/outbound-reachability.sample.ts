import { probePhases } from '../../../src/host/network/types.ts';
import type { Sample } from '../../support/fixtures/samples.ts';

const seconds = Object.fromEntries(probePhases.map((phase) => [phase, 0.1]));

export const sample: Sample = {
  check: 'outboundReachability',
  good: { host: { probe: async () => ({ seconds }) } },
  bad: {
    host: {
      probe: async () => ({ seconds, failure: { reason: 'refused', detail: 'It refused the connection' } }),
    },
    status: 'fail',
    reason: 'refused',
  },
  demonstration: {
    policy: ({ hubPort, closedTarget }) => ({ targets: [`tls://localhost:${hubPort}`, closedTarget] }),
    status: 'fail',
  },
};

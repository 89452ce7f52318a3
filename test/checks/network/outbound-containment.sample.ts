import type { Sample } from '../../support/fixtures/samples.ts';

export const sample: Sample = {
  check: 'outboundContainment',
  good: {
    host: {
      probe: async () => ({
        seconds: {},
        failure: { reason: 'refused', detail: 'It refused the connection' },
      }),
    },
  },
  bad: { host: { probe: async () => ({ seconds: { connect: 0.1 } }) }, status: 'warn', reason: 'reachable' },
  demonstration: { policy: ({ closedTarget }) => ({ targets: [closedTarget] }), status: 'pass' },
};

import { engineFacts } from '../../support/fixtures/engine.ts';
import type { Sample } from '../../support/fixtures/samples.ts';

export const sample: Sample = {
  check: 'containerEngine',
  good: { host: { engine: async () => engineFacts() } },
  bad: {
    host: {
      engine: async () => engineFacts({ file: { tcpHosts: ['tcp://0.0.0.0:2375'], tlsVerify: false } }),
    },
    status: 'fail',
    reason: 'tcp_socket',
  },
  demonstration: { policy: () => ({}) },
};

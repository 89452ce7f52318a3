import { CannotTell } from '../../../src/check.ts';
import type { Sample } from '../../support/fixtures/samples.ts';

export const sample: Sample = {
  check: 'dnsResolution',
  good: { host: { lookUp: async () => ({ addresses: ['13.107.246.40'], seconds: 0.1 }) } },
  bad: {
    host: {
      lookUp: async (name) => {
        throw new CannotTell('not_found', `${name} does not resolve`);
      },
    },
    status: 'fail',
    reason: 'not_found',
  },
  demonstration: { policy: () => ({ names: ['localhost'] }), status: 'pass' },
};

import type { Sample } from '../../support/fixtures/samples.ts';

export const sample: Sample = {
  check: 'hubConnection',
  good: { host: { hubLink: () => ({ connected: true, seconds: 3600 }) } },
  bad: {
    host: {
      hubLink: () => ({
        connected: false,
        seconds: 7200,
        problem: { reason: 'certificate_rejected', message: 'The certificate of edgeHub has expired' },
      }),
    },
    status: 'fail',
    reason: 'certificate_rejected',
  },
  demonstration: { policy: () => ({}), status: 'pass' },
};

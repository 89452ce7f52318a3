import type { PolicyOutcome } from '../../../src/host/agent/types.ts';
import type { Sample } from '../../support/fixtures/samples.ts';

const accepted: PolicyOutcome = {
  source: 'twin',
  version: 7,
  accepted: true,
  problems: [],
  exceptions: [
    { check: 'containerPosture', target: 'plc-gateway', until: '2027-03-31', over: false },
    { check: 'diskSpace', target: '/data', over: false },
  ],
};

export const sample: Sample = {
  check: 'policyInForce',
  good: { host: { policyOutcome: () => accepted } },
  bad: {
    host: {
      policyOutcome: () => ({
        ...accepted,
        accepted: false,
        problems: ['schedule must be a cron expression'],
      }),
    },
    status: 'fail',
    reason: 'not_accepted',
  },
  demonstration: { policy: () => ({}), status: 'pass' },
};

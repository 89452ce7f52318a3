import type { Sample } from '../../support/fixtures/samples.ts';

const clock = (offsetSeconds: number) => ({
  sntp: async () => ({ offsetSeconds, errorSeconds: 0.02 }),
  chrony: async () => ({ offsetSeconds, errorSeconds: 0.02 }),
  hypervClock: async () => undefined,
  clockEvents: () => [],
  clockTotals: () => ({ steps: 1, suspendedSeconds: 28_800 }),
});

export const sample: Sample = {
  check: 'clockDrift',
  good: { host: clock(0.01) },
  bad: { host: clock(400), status: 'fail', reason: 'drifted' },
  demonstration: {
    policy: ({ sntpPort }) => ({ servers: [`127.0.0.1:${sntpPort}`], chrony: false }),
    status: 'pass',
  },
};

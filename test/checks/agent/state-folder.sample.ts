import type { Sample } from '../../support/fixtures/samples.ts';

export const sample: Sample = {
  check: 'stateFolder',
  good: { host: { memoryProblem: () => undefined } },
  bad: {
    host: {
      memoryProblem: () => ({ kind: 'unwritable', message: 'Could not write the state file: ENOSPC' }),
    },
    status: 'warn',
    reason: 'unwritable',
  },
  demonstration: { policy: () => ({}), status: 'pass' },
};

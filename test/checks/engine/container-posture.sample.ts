import { container } from '../../support/fixtures/container.ts';
import { engineFacts } from '../../support/fixtures/engine.ts';
import type { Sample } from '../../support/fixtures/samples.ts';

const device = (privileged: boolean) => ({
  containers: async () =>
    Array.from({ length: 10 }, (_, i) =>
      container({ name: `module${i}`, privileged: privileged && i === 0 }),
    ),
  engine: async () => engineFacts(),
});

export const sample: Sample = {
  check: 'containerPosture',
  good: { host: device(false) },
  bad: { host: device(true), status: 'fail', reason: 'privileged' },
  demonstration: { policy: () => ({}), status: 'warn' },
};

import { memoryOf } from '../../support/fixtures/fake-host.ts';
import { type Sample, sampleNow } from '../../support/fixtures/samples.ts';

const gib = 2 ** 30;
const hours = 45 * 24;

const disk = (usedGiB: number) => ({
  filesystem: async (measured: string) => ({
    measured,
    sizeBytes: 64 * gib,
    usedBytes: usedGiB * gib,
    availableBytes: (64 - usedGiB) * gib,
    files: 2 ** 22,
    filesFree: 2 ** 21,
    readOnly: false,
  }),
  engineUsage: async () => undefined,
  // It fills by 0.6 GiB a day.
  memory: memoryOf((_, value) =>
    Array.from({ length: hours }, (_, hour) => ({
      at: sampleNow.getTime() / 1000 - (hours - 1 - hour) * 3600,
      value: value - ((hours - 1 - hour) / 24) * 0.6 * gib,
    })),
  ),
});

export const sample: Sample = {
  check: 'diskSpace',
  good: { host: disk(40) },
  bad: { host: disk(60), status: 'fail', reason: 'space_low' },
  demonstration: { policy: () => ({ paths: ['/'], minSizeGiB: 1 }) },
};

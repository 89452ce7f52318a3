import type { Tpm } from '../../../src/host/tpm/types.ts';
import type { Sample } from '../../support/fixtures/samples.ts';

const answer: Tpm = {
  at: '/dev/tpmrm0',
  manufacturer: 'IFX',
  vendor: 'SLB9670',
  firmware: '7.85.4555.0',
  lockout: { lockedOut: false, failures: 0, maxFailures: 32, intervalSeconds: 7200, recoverySeconds: 86_400 },
  persistentHandles: [0x8100_0001, 0x8101_0001],
  endorsementKey: { hex: 'a5'.repeat(32), base32: 'uws2'.repeat(13) },
};

export const sample: Sample = {
  check: 'tpm',
  good: { host: { tpm: async () => answer } },
  bad: {
    host: { tpm: async () => answer },
    policy: { endorsementKeySha256: 'b6'.repeat(32) },
    status: 'fail',
    reason: 'key_differs',
  },
};

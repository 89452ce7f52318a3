import { certdFiles, chainOf } from '../../support/fixtures/certificate-chains.ts';
import { presentedWith } from '../../support/fixtures/certificates.ts';
import { type Sample, sampleNow } from '../../support/fixtures/samples.ts';

const host = {
  findFiles: async () => certdFiles,
  presentedChain: async ({ host }: { host: string }) => presentedWith(chainOf(host, 3)),
};

export const sample: Sample = {
  check: 'certificateExpiry',
  good: { host: { ...host, certificates: async (path) => chainOf(path, 2) } },
  bad: {
    host: { ...host, certificates: async (path) => chainOf(path, 2, sampleNow.getTime() - 86_400_000) },
    status: 'fail',
    reason: 'expired',
  },
  demonstration: {
    policy: ({ expiringCertificate }) => ({ files: [expiringCertificate], endpoints: ['edgehub'] }),
    status: 'warn',
  },
};

import { certdFiles, chainOf } from '../../support/fixtures/certificate-chains.ts';
import { presentedWith } from '../../support/fixtures/certificates.ts';
import type { Sample } from '../../support/fixtures/samples.ts';

const host = {
  findFiles: async () => certdFiles,
  presentedChain: async ({ host }: { host: string }) => presentedWith(chainOf(host, 3)),
};

export const sample: Sample = {
  check: 'certificateChain',
  good: { host: { ...host, certificates: async (path) => chainOf(path, 2) } },
  bad: {
    host: {
      ...host,
      certificates: async (path) => chainOf(path, 2).map((each) => ({ ...each, isCa: false })),
    },
    status: 'fail',
    reason: 'not_a_ca',
  },
  demonstration: {
    policy: ({ expiringCertificate }) => ({ files: [expiringCertificate], endpoints: ['edgehub'] }),
    status: 'pass',
  },
};

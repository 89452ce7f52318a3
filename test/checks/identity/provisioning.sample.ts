import type { Provisioning } from '../../../src/host/identity/types.ts';
import type { Sample } from '../../support/fixtures/samples.ts';

const device = (way: Provisioning['way']) => ({
  provisioning: async () => ({ way, evidence: 'identityd' as const }),
  certificateIssuance: async () => ({ edgeCa: 'est' as const, estServers: ['https://est.plant'] }),
  configuredHostName: async () => 'press-7.plant',
  configurationState: async () => 'applied' as const,
});

export const sample: Sample = {
  check: 'provisioning',
  good: { host: device('dps-x509') },
  bad: { host: device('dps-symmetric'), status: 'fail', reason: 'not_allowed' },
};

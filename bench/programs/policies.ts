import { checks } from '../../src/checks/index.ts';
import { type Testbed, typicalCertificates } from '../testbed.ts';
import { freePort } from './program.ts';

const disabled = { enabled: false };
// Checks run only at the start and when the bench requests it.
const noScheduledRuns = { schedule: '0 0 1 1 *', jitterSeconds: 0, confirmAfterSeconds: 0 };

/**
 * The size of the default policy, with all targets on loopback. Checks that need a network by default are disabled,
 * except those that have targets in the testbed.
 */
export async function typicalPolicy(testbed: Testbed, endpoint: 'edgehub' | 'tls'): Promise<object> {
  const targets = testbed.targets.slice(0, 3).map((target) => `tls://${target}`);
  const files = [`${testbed.certificates('valid', typicalCertificates)}/*`];
  const endpoints = endpoint === 'edgehub' ? ['edgehub'] : targets.slice(0, 1);
  const networkChecks = checks.filter((check) =>
    check.needs(check.params.parse({})).some(({ kind }) => kind === 'network'),
  );
  return {
    ...noScheduledRuns,
    checks: {
      ...Object.fromEntries(networkChecks.map(({ id }) => [id, disabled])),
      clockDrift: { servers: [testbed.timeServer], chrony: false },
      certificateExpiry: { files, endpoints },
      certificateChain: { files, endpoints },
      diskSpace: { paths: ['/'], minSizeGiB: 0 },
      outboundReachability: { targets },
      outboundContainment: { targets: [`tcp://127.0.0.1:${await freePort()}`] },
      dnsResolution: { names: ['localhost'] },
    },
  };
}

/** A policy with a single check enabled. */
export const policyWithOnly = (id: string, params: object): object => ({
  ...noScheduledRuns,
  checks: { ...Object.fromEntries(checks.map((check) => [check.id, disabled])), [id]: params },
});

import { checks } from '../src/checks/index.ts';
import { freePort } from './program.ts';
import type { World } from './world.ts';

const off = { enabled: false };
// Nothing runs but what is asked for, and what a start asks for.
const neverByItself = { schedule: '0 0 1 1 *', jitterSeconds: 0, confirmAfterSeconds: 0 };

/** The default policy, as large, but pointed at loopback: all checks, of those that need the network what is here. */
export async function everydayPolicy(world: World, endpoint: 'edgehub' | 'tls'): Promise<object> {
  const targets = world.targets.slice(0, 3).map((target) => `tls://${target}`);
  const files = [`${world.certificates.few}/*`];
  const endpoints = endpoint === 'edgehub' ? ['edgehub'] : targets.slice(0, 1);
  const awayFromHere = checks.filter((check) =>
    check.needs(check.params.parse({})).some(({ kind }) => kind === 'network'),
  );
  return {
    ...neverByItself,
    checks: {
      ...Object.fromEntries(awayFromHere.map(({ id }) => [id, off])),
      clockDrift: { servers: [world.timeServer], chrony: false },
      certificateExpiry: { files, endpoints },
      certificateChain: { files, endpoints },
      diskSpace: { paths: ['/'], minSizeGiB: 0 },
      outboundReachability: { targets },
      outboundContainment: { targets: [`tcp://127.0.0.1:${await freePort()}`] },
      dnsResolution: { names: ['localhost'] },
    },
  };
}

/** One check alone. */
export const policyOf = (id: string, params: object): object => ({
  ...neverByItself,
  checks: { ...Object.fromEntries(checks.map((check) => [check.id, off])), [id]: params },
});

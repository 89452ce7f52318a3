import * as z from 'zod';
import { CannotTell, defineCheck, type HostFor, type Verdict } from '../../check.ts';
import type { ProvisioningWay } from '../../host/identity/types.ts';
import { hostNameProblem } from './host-name.ts';
import { ways } from './ways.ts';

const reasons = [
  'not_allowed',
  'not_provisioned',
  'quickstart_ca',
  'not_https',
  'bad_hostname',
  'not_applied',
] as const;
type Judgement = Promise<Verdict<(typeof reasons)[number]>>;
type Sources = HostFor<'provisioning' | 'certificateIssuance' | 'configuredHostName' | 'configurationState'>;

const wayNames = [
  'dps-x509',
  'dps-tpm',
  'dps-symmetric',
  'manual-x509',
  'manual-symmetric',
] as const satisfies readonly ProvisioningWay[];

interface Item {
  readonly target: 'identity' | 'edgeCa' | 'hostname' | 'est';
}

/** Judges how the device proves who it is, and where its certificates come from. */
export const provisioning = defineCheck({
  id: 'provisioning',
  title: 'The device proves who it is in a way that suits production',
  params: z.strictObject({
    allowed: z
      .array(z.enum(wayNames))
      .min(1)
      .max(wayNames.length)
      .default(['dps-x509', 'dps-tpm', 'manual-x509'])
      .describe('The ways in which a device may be provisioned.'),
  }),
  uses: ['provisioning', 'certificateIssuance', 'configuredHostName', 'configurationState'],
  reasons,

  needs: () => [
    { kind: 'path', path: '/run/aziot/identityd.sock' },
    { kind: 'path', path: '/etc/aziot/certd/config.d' },
  ],

  async subjects(_, host, signal): Promise<readonly Item[]> {
    const hasEst = await estServersOf(host, signal);
    const targets = [
      'identity',
      'edgeCa',
      'hostname',
      ...(hasEst.length > 0 ? ['est' as const] : []),
    ] as const;
    return targets.map((target) => ({ target }));
  },

  examine({ target }: Item, { allowed }, host, signal) {
    switch (target) {
      case 'identity':
        return identityVerdict(allowed, host, signal);
      case 'edgeCa':
        return edgeCaVerdict(host, signal);
      case 'hostname':
        return hostNameVerdict(host, signal);
      case 'est':
        return estVerdict(host, signal);
    }
  },
});

async function identityVerdict(allowed: readonly string[], host: Sources, signal: AbortSignal): Judgement {
  const { way, evidence } = await host.provisioning(signal);
  const state = await stateOf(host, signal);
  const source = evidence === 'identityd' ? 'by identityd' : "by identityd's configuration";
  if (way === 'none') {
    return {
      status: 'fail',
      reason: 'not_provisioned',
      message: `The device is not provisioned (${source})`,
      remedy: 'Set [provisioning] in /etc/aziot/config.toml, then `sudo iotedge config apply`',
    };
  }
  const { name, worth } = ways[way];
  if (!allowed.includes(way)) {
    return {
      status: 'fail',
      reason: 'not_allowed',
      message: `The device is provisioned by ${name} (${source}): ${worth}`,
      remedy: `Provision it by one of ${allowed.join(', ')}: set [provisioning] in /etc/aziot/config.toml, then \`sudo iotedge config apply\`. Or allow ${way} in checks.provisioning.allowed of the policy`,
    };
  }
  if (state === 'newer' || state === 'never') {
    return {
      status: 'warn',
      reason: 'not_applied',
      message:
        state === 'newer'
          ? '/etc/aziot/config.toml was changed after it was applied last'
          : '/etc/aziot/config.toml has never been applied',
      remedy: 'Apply it: `sudo iotedge config apply`',
    };
  }
  return { status: 'pass', message: `The device is provisioned by ${name}: ${worth}` };
}

/** Only a change that was not applied is worth a word; without access it is not known, and the rest is judged. */
async function stateOf(
  host: Sources,
  signal: AbortSignal,
): Promise<'applied' | 'newer' | 'never' | undefined> {
  try {
    return await host.configurationState(signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CannotTell) return undefined;
    throw error;
  }
}

async function edgeCaVerdict(host: Sources, signal: AbortSignal): Judgement {
  const { edgeCa } = await host.certificateIssuance(signal);
  if (edgeCa === 'none' || edgeCa === 'self_signed') {
    return {
      status: 'warn',
      reason: 'quickstart_ca',
      message: `The Edge CA is ${edgeCa === 'none' ? 'the one that IoT Edge makes for a quickstart' : 'self-signed'}: it is trusted by nobody else`,
      remedy:
        'Configure [edge_ca] in /etc/aziot/config.toml with an EST server or with files of your own authority, then `sudo iotedge config apply`',
    };
  }
  const from = { est: 'issued by EST', local_ca: 'issued by a CA on this device', file: 'from a file' }[
    edgeCa
  ];
  return { status: 'pass', message: `The Edge CA is ${from}` };
}

async function hostNameVerdict(host: Sources, signal: AbortSignal): Judgement {
  const name = (await configuredName(host, signal)) ?? host.names.gateway;
  if (name === undefined) {
    throw new CannotTell(
      'not_applicable',
      'The host name of this device is not known: the agent is no module, and the configuration of identityd is not mounted',
    );
  }
  const problem = hostNameProblem(name);
  if (problem === undefined) return { status: 'pass', message: `The host name is ${name}` };
  return {
    status: 'warn',
    reason: 'bad_hostname',
    message: `The host name ${name.slice(0, 255)} ${problem}`,
    remedy:
      'Set `hostname` in /etc/aziot/config.toml to at most 64 lower-case letters, digits, dots and hyphens, then `sudo iotedge config apply`; edgeHub gets another certificate, so leaf devices must use the new name',
  };
}

async function configuredName(host: Sources, signal: AbortSignal): Promise<string | undefined> {
  try {
    return await host.configuredHostName(signal);
  } catch (error) {
    signal.throwIfAborted();
    // The gateway's name is the same, unless the device was renamed since.
    if (error instanceof CannotTell) return undefined;
    throw error;
  }
}

async function estServersOf(host: Sources, signal: AbortSignal): Promise<readonly string[]> {
  try {
    return (await host.certificateIssuance(signal)).estServers;
  } catch (error) {
    signal.throwIfAborted();
    // The finding of the Edge CA says why.
    if (error instanceof CannotTell) return [];
    throw error;
  }
}

async function estVerdict(host: Sources, signal: AbortSignal): Judgement {
  const servers = await estServersOf(host, signal);
  const open = servers.filter((server) => !server.startsWith('https://'));
  if (open.length === 0) return { status: 'pass', message: `Certificates come from ${servers.join(', ')}` };
  return {
    status: 'fail',
    reason: 'not_https',
    message: `Certificates are requested from ${open.join(', ')} without TLS: whoever is on the way can answer`,
    remedy: 'Use https:// in the EST addresses in /etc/aziot/config.toml, then `sudo iotedge config apply`',
  };
}

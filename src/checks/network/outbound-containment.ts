import { z } from 'zod';
import { CannotTell, defineCheck, type HostFor } from '../../check.ts';
import { withDeadline } from '../../deadline.ts';
import { formatEndpoint } from '../../endpoint.ts';
import type { Probe } from '../../host/network/types.ts';
import { isAddress } from '../params/address-kind.ts';
import { expandAll, needsOfTargets } from '../params/placeholders.ts';
import { probeTarget, quote, targetOf } from '../params/probe-target.ts';

/** No answer for this long counts as dropped. */
const silenceSeconds = 5;
/** A name can have many addresses; the first ones are enough to find a way out. */
const maxAddresses = 8;

const tcpTarget = probeTarget
  .refine((text) => !/^(tls|https):/i.test(text), {
    error: ({ input }) => `${quote(String(input))} must begin with tcp:// (nothing is sent to these targets)`,
  })
  .describe('tcp://host:port');

/** Tries targets that must not be reachable: connects, sends nothing, closes at once. */
export const outboundContainment = defineCheck({
  id: 'outboundContainment',
  title: 'Targets that this device must not reach are unreachable',
  params: z.strictObject({
    targets: z
      .array(tcpTarget)
      .max(64)
      .default(['tcp://8.8.8.8:53'])
      .describe('What must not be reachable: tcp://host:port.'),
    severity: z.enum(['warn', 'fail']).default('warn').describe('The status of a target that is reachable.'),
  }),
  uses: ['lookUp', 'modules', 'probe'],
  reasons: ['reachable', 'refused', 'server_failed'],

  needs: ({ targets }) => needsOfTargets(targets),

  subjects: ({ targets }, host, signal) => expandAll(targets, host, signal),

  async examine(subject, { severity }, host, signal) {
    const { host: name, port } = targetOf(subject);
    const addresses = await addressesOf(name, host, signal);
    if (addresses.length === 0) {
      return {
        status: 'pass',
        message: `Contained: ${name} does not resolve`,
      };
    }
    const attempts = await Promise.all(
      addresses.slice(0, maxAddresses).map(async (address) => {
        const probe = await withDeadline(silenceSeconds, signal, (deadline) =>
          host.probe({ scheme: 'tcp', host: address, port }, deadline),
        );
        return { address: formatEndpoint({ host: address, port }), probe };
      }),
    );
    const reached = attempts.find(({ probe }) => !probe.failure);
    if (reached) {
      return {
        status: severity,
        reason: 'reachable',
        message: `${reached.address} accepted a connection after ${seconds(reached.probe)} s`,
        remedy: remedyFor(addresses, port),
      };
    }
    const ways = attempts.map(({ address, probe }) => wayOf(address, probe));
    return { status: 'pass', message: `Contained: ${ways.join('; ')}` };
  },
});

/** Empty where the resolver says that there are none. An unanswered query proves no containment. */
async function addressesOf(
  name: string,
  host: HostFor<'lookUp'>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (isAddress(name)) return [name];
  try {
    return (await host.lookUp(name, undefined, signal)).addresses;
  } catch (error) {
    if (error instanceof CannotTell && error.reason === 'not_found') return [];
    throw error;
  }
}

function wayOf(address: string, { failure }: Probe): string {
  if (failure?.reason !== 'timed_out') return failure?.detail ?? address;
  return `the connection to ${address} was dropped (no answer within ${silenceSeconds} s)`;
}

function remedyFor(addresses: readonly string[], port: number): string {
  const commands = addresses
    .slice(0, 2)
    .map(
      (address) =>
        `\`sudo ${address.includes(':') ? 'ip6tables' : 'iptables'} -I DOCKER-USER -p tcp -d ${address} --dport ${port} -j REJECT\``,
    );
  return `Block outbound TCP to port ${port} of it in the firewall in front of this device, or for its containers with ${commands.join(' and ')}.`;
}

const seconds = (probe: Probe): string => (probe.seconds.connect ?? 0).toFixed(2);

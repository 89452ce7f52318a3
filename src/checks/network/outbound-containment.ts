import * as z from 'zod';
import { CannotTell, defineCheck, type HostFor } from '../../check.ts';
import { withDeadline } from '../../deadline.ts';
import { formatEndpoint } from '../../endpoint.ts';
import type { Probe } from '../../host/network/types.ts';
import { isAddress } from '../params/address-kind.ts';
import { expandAll, needsOfTargets } from '../params/placeholders.ts';
import { probeTarget, targetOf } from '../params/probe-target.ts';

/** No answer for this long counts as dropped. */
const silenceSeconds = 5;
/** For one target. Up to 64 targets are tried at once; more attempts could exhaust the file descriptors. */
const attemptsAtOnce = 12;
/** Each chain of attempts ends after this many dropped connections, so that a target takes at most 15 s. */
const maxDropped = 3;

const tcpTarget = probeTarget
  .refine((text) => !/^(tls|https):/i.test(text), {
    error: 'must begin with tcp:// (nothing is sent to these targets)',
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
    const attempts = await tryAll(addresses, port, host, signal);
    const reached = attempts.filter(({ probe }) => !probe.failure);
    const [first] = reached;
    if (first) {
      return {
        status: severity,
        reason: 'reachable',
        message: `${formatEndpoint({ host: first.address, port })} accepted a connection after ${seconds(first.probe)} s`,
        remedy: remedyFor(reached, port),
      };
    }
    const left = addresses.length - attempts.length;
    if (left > 0) {
      throw new CannotTell(
        'timed_out',
        `None of ${attempts.length} addresses of ${name} accepted a connection, but ${left === 1 ? '1 more was' : `${left} more were`} not tried: most connections were dropped (no answer within ${silenceSeconds} s)`,
      );
    }
    return { status: 'pass', message: `Contained: ${waysOf(attempts, port)}` };
  },
});

interface Attempt {
  readonly address: string;
  readonly probe: Probe;
}

/** Tries addresses, several at once, until one is reached or too many connections were dropped. */
async function tryAll(
  addresses: readonly string[],
  port: number,
  host: HostFor<'probe'>,
  signal: AbortSignal,
): Promise<readonly Attempt[]> {
  const attempts: (Attempt | undefined)[] = [];
  let next = 0;
  let isReached = false;
  const tryInTurn = async () => {
    for (let dropped = 0; dropped < maxDropped && next < addresses.length && !isReached; ) {
      const index = next++;
      const address = addresses[index] ?? '';
      const probe = await withDeadline(silenceSeconds, signal, (deadline) =>
        host.probe({ scheme: 'tcp', host: address, port }, deadline),
      );
      attempts[index] = { address, probe };
      if (!probe.failure) isReached = true;
      if (probe.failure?.reason === 'timed_out') dropped += 1;
    }
  };
  await Promise.all(Array.from({ length: attemptsAtOnce }, tryInTurn));
  return attempts.filter((attempt) => attempt !== undefined);
}

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

/** What became of each connection; of many, the first three. */
function waysOf(attempts: readonly Attempt[], port: number): string {
  const ways = attempts
    .slice(0, 3)
    .map(({ address, probe }) => wayOf(formatEndpoint({ host: address, port }), probe));
  const more = attempts.length - ways.length;
  return `${ways.join('; ')}${more > 0 ? `; no connection to ${more === 1 ? '1 more address' : `${more} more addresses`} was accepted` : ''}`;
}

function wayOf(address: string, { failure }: Probe): string {
  if (failure?.reason !== 'timed_out') return failure?.detail ?? address;
  return `the connection to ${address} was dropped (no answer within ${silenceSeconds} s)`;
}

function remedyFor(reached: readonly Attempt[], port: number): string {
  const commands = reached.slice(0, 2).map(({ address }) => {
    const rule = `-I DOCKER-USER -p tcp -d ${address} --dport ${port} -j REJECT`;
    return address.includes(':') ? `\`sudo ip6tables ${rule}\`` : `\`sudo iptables ${rule}\``;
  });
  return `Block outbound TCP to port ${port} of that address in the firewall in front of this device, or for this device's containers with ${commands.join(' and ')}.`;
}

const seconds = (probe: Probe): string => (probe.seconds.connect ?? 0).toFixed(2);

import * as z from 'zod';
import { CannotTell, defineCheck, type HostFor } from '../../check.ts';
import type { Listener } from '../../host/network/types.ts';
import { covers, parsePortRule } from './port-rules.ts';
import { describePort, describeRest, remedyFor } from './port-words.ts';

const rule = z
  .string()
  .superRefine((text, context) => {
    const parsed = parsePortRule(text);
    if (typeof parsed === 'string') context.addIssue(parsed);
  })
  .describe('tcp/PORT, udp/PORT, or a range such as tcp/8000-8010');

/** More ports than this, those that are not allowed first, are told as one number. */
const maxPorts = 100;

/** A port with every socket on it; without a port, what is left of the list. */
interface Port {
  readonly target: string;
  readonly sockets: readonly Listener[];
  readonly isAllowed: boolean;
  readonly isOwn: boolean;
  /** The container that publishes it, where the engine may be asked. */
  readonly publisher?: string | undefined;
  readonly more?: number;
}

/** Lists what receives from the network on the whole machine, and compares its ports with those that may. */
export const listeningPorts = defineCheck({
  id: 'listeningPorts',
  title: 'Only allowed ports listen on the network',
  params: z.strictObject({
    allowed: z
      .array(rule)
      .max(256)
      .default(['tcp/22', 'tcp/443', 'tcp/5671', 'tcp/8883'])
      .describe('Ports that may listen: tcp/PORT, udp/PORT, or a range such as tcp/8000-8010.'),
    severity: z.enum(['warn', 'fail']).default('warn').describe('The status of a port that is not allowed.'),
  }),
  uses: ['listeners', 'containers'],
  reasons: ['not_allowed'],

  needs: () => [{ kind: 'path', path: '/proc/1/net/tcp' }],

  async subjects({ allowed }, host, signal): Promise<readonly Port[]> {
    const { listeners, ownPort } = await host.listeners(signal);
    const publishers = await publishersOf(host, signal);
    const ports = new Map<string, Listener[]>();
    for (const socket of listeners.filter(({ address }) => !isLoopback(address))) {
      const target = `${socket.protocol}/${socket.port}`;
      ports.set(target, [...(ports.get(target) ?? []), socket]);
    }
    const all = [...ports].map(([target, sockets]): Port => {
      const isOwn = target === `tcp/${ownPort}`;
      const [{ protocol, port } = { protocol: '', port: 0 }] = sockets;
      return {
        target,
        sockets,
        isOwn,
        publisher: publishers.get(target),
        isAllowed: isOwn || covers(allowed, { protocol, port }),
      };
    });
    const ordered = [...all.filter((port) => !port.isAllowed), ...all.filter((port) => port.isAllowed)];
    const left = ordered.slice(maxPorts);
    const rest = {
      target: 'ports',
      sockets: [],
      isOwn: false,
      isAllowed: left.every((port) => port.isAllowed),
    };
    if (ordered.length === 0 || left.length > 0)
      return [...ordered.slice(0, maxPorts), { ...rest, more: left.length }];
    return ordered;
  },

  async examine({ target, sockets, isAllowed, isOwn, publisher, more }: Port, { severity }) {
    const message =
      more === undefined ? describePort(target, sockets, publisher) : describeRest(more, isAllowed);
    if (isAllowed) return { status: 'pass', message: isOwn ? `${message}: the agent itself` : message };
    return {
      status: severity,
      reason: 'not_allowed',
      message,
      remedy: remedyFor(target, sockets, publisher),
    };
  },
});

/** 127.0.0.0/8 and ::1 (RFC 1122, RFC 4291). */
const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1';

/** The containers that publish ports, by the ports; none where the engine may not be asked. */
async function publishersOf(
  host: HostFor<'containers'>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  try {
    const containers = await host.containers(signal);
    return new Map(
      containers.flatMap(({ name, publishedPorts }) =>
        publishedPorts.map(({ protocol, port }) => [`${protocol}/${port}`, name] as const),
      ),
    );
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CannotTell) return new Map();
    throw error;
  }
}

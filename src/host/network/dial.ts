import { connect, isIP, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { CannotTell } from '../../check.ts';
import { type Endpoint, formatEndpoint } from '../../endpoint.ts';
import { codeOf } from '../../errors.ts';
import type { ProbeFailure } from './types.ts';

/**
 * The head start of one address over the next (RFC 8305, section 5). Earlier attempts continue; Node's autoSelectFamily ends
 * them, so that a working address would seem dead over a satellite link.
 */
const headStartMs = 250;

interface Dialled {
  readonly socket: Socket;
  readonly address: string;
}

/**
 * A TCP connection to the first address that accepts one, alternating between the families. The caller destroys it.
 *
 * @throws CannotTell `refused` or `timed_out` as the network answers, `tls_failed` for a connection that was accepted and
 *   reset (see {@link wasAccepted}), `internal_error` for a fault of this device.
 */
export function dial(addresses: readonly string[], port: number, signal: AbortSignal): Promise<Dialled> {
  const waiting = alternating(addresses);
  const open = new Set<Socket>();
  const failures: Failure[] = [];

  return new Promise((resolve, reject) => {
    let headStart: NodeJS.Timeout | undefined;
    const settle = () => {
      clearTimeout(headStart);
      signal.removeEventListener('abort', onAbort);
      waiting.length = 0;
      for (const socket of open) socket.destroy();
    };
    const onAbort = () => {
      settle();
      reject(signal.reason);
    };
    const attempt = () => {
      clearTimeout(headStart);
      const host = waiting.shift();
      if (host === undefined) return;
      const socket = connect({ host, port });
      open.add(socket);
      socket.once('connect', () => {
        open.delete(socket);
        settle();
        resolve({ socket, address: host });
      });
      // Stays for the life of the socket: a later error must not end the process.
      socket.on('error', (error) => {
        if (!open.delete(socket)) return;
        failures.push({ family: isIP(host), error: failureOf(error, { host, port }) });
        if (waiting.length > 0) return attempt();
        if (open.size > 0) return;
        settle();
        reject(failures.find(({ error }) => wasAccepted(error))?.error ?? summary(failures));
      });
      if (waiting.length > 0) headStart = setTimeout(attempt, headStartMs);
    };

    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    attempt();
  });
}

/**
 * What the network, a firewall or a route of this device can answer to a connection request: Linux turns ICMP errors into
 * these codes (icmp_err_convert, tab_unreach), and special routes too. Anything else is a fault of this device.
 */
const networkAnswers: Readonly<Record<string, readonly [ProbeFailure, string]>> = {
  ECONNREFUSED: ['refused', 'refused the connection'],
  ECONNRESET: ['tls_failed', 'accepted the connection and reset it at once'],
  EPIPE: ['tls_failed', 'accepted the connection and closed it at once'],
  EHOSTUNREACH: ['refused', 'is a host that the network cannot reach'],
  EHOSTDOWN: ['refused', 'is a host that the network reports as down'],
  ENONET: ['refused', 'is a host that the network reports as isolated'],
  ENETUNREACH: ['refused', 'is in a network that this device has no route to'],
  ENETDOWN: ['refused', 'is behind a network interface of this device that is down'],
  ENOPROTOOPT: ['refused', 'rejected TCP as a protocol'],
  EOPNOTSUPP: ['refused', 'was rejected by a router'],
  EPROTO: ['refused', 'was rejected by a router'],
  EINVAL: ['refused', 'is discarded by a blackhole route of this device'],
  EACCES: ['refused', 'is prohibited by a route or a firewall'],
  EPERM: ['refused', "is blocked by this device's own firewall"],
  ETIMEDOUT: ['timed_out', 'did not answer until the system gave up'],
};

function failureOf(cause: NodeJS.ErrnoException, endpoint: Endpoint): CannotTell {
  const code = cause.code ?? cause.message;
  const [reason, words] = networkAnswer(code, endpoint.host) ?? ['internal_error', 'could not be tried'];
  return new CannotTell(reason, `${formatEndpoint(endpoint)} ${words} (${code})`, { cause });
}

function networkAnswer(code: string, host: string): readonly [ProbeFailure, string] | undefined {
  const isIPv6 = isIP(host) === 6;
  // Also the answer when all ports of this device are in use.
  if (code === 'EAFNOSUPPORT' || (code === 'EADDRNOTAVAIL' && isIPv6 && !hasIPv6()))
    return ['refused', `needs ${isIPv6 ? 'IPv6' : 'IPv4'}, which this device does not have`];
  if (code === 'EINVAL' && /^fe[89ab]/i.test(host))
    return ['refused', 'is a link-local address without a zone, which this device has no route to'];
  return networkAnswers[code];
}

const hasIPv6 = (): boolean =>
  Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ family, internal }) => family === 'IPv6' && !internal),
  );

interface Failure {
  readonly family: number;
  readonly error: CannotTell;
}

/** One address of each family in turn, so that a broken family delays the other only once (RFC 8305, section 4). */
function alternating(addresses: readonly string[]): string[] {
  const first = addresses.filter((each) => isIP(each) === isIP(addresses[0] ?? ''));
  const second = addresses.filter((each) => !first.includes(each));
  const longest = Math.max(first.length, second.length);
  return Array.from({ length: longest }, (_, i) => [first[i], second[i]])
    .flat()
    .filter((each) => each !== undefined);
}

/** The failure of each family. A host's own answer is more specific than a missing route, which is common for IPv6. */
function summary(failures: readonly Failure[]): CannotTell | undefined {
  const answered = failures.filter(({ error }) => !isWithoutRoute(error));
  const [first, ...rest] = answered.length > 0 ? answered : failures;
  const other = rest.find(({ family }) => family !== first?.family);
  if (first === undefined || other === undefined || answered.length === 0) return first?.error;
  const { reason, message, cause } = first.error;
  return new CannotTell(reason, `${message}; ${other.error.message}`, { cause });
}

/** Whether this device has no route at all to the address, which is common for IPv6. */
export const isWithoutRoute = ({ cause }: CannotTell): boolean =>
  ['ENETUNREACH', 'EADDRNOTAVAIL', 'EAFNOSUPPORT'].some((code) => code === codeOf(cause));

/**
 * Whether a connection was accepted before it failed. A reset in answer to the request itself is `ECONNREFUSED`; any other
 * follows a completed handshake, and only the timing decides whether it is seen here (tcp_reset in Linux's tcp_input.c).
 */
export const wasAccepted = (error: unknown): boolean =>
  error instanceof CannotTell && ['ECONNRESET', 'EPIPE'].some((code) => code === codeOf(error.cause));

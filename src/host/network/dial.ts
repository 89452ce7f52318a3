import { connect, isIP, type Socket } from 'node:net';
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
 * @throws CannotTell `refused` or `timed_out` as the network answers, `internal_error` for a fault of this device.
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
        reject(summary(failures));
      });
      if (waiting.length > 0) headStart = setTimeout(attempt, headStartMs);
    };

    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    attempt();
  });
}

/** What the network can answer to a connection request; anything else is a fault of this device. */
const networkAnswers: Readonly<Record<string, readonly [ProbeFailure, string]>> = {
  ECONNREFUSED: ['refused', 'refused the connection'],
  ECONNRESET: ['refused', 'reset the connection'],
  EHOSTUNREACH: ['refused', 'is a host that the network cannot reach'],
  ENETUNREACH: ['refused', 'is in a network that this device has no route to'],
  EACCES: ['refused', "is blocked by this device's own firewall"],
  EPERM: ['refused', "is blocked by this device's own firewall"],
  ETIMEDOUT: ['timed_out', 'did not answer until the system gave up'],
};

function failureOf(cause: NodeJS.ErrnoException, endpoint: Endpoint): CannotTell {
  const code = cause.code ?? cause.message;
  const [reason, words] = networkAnswers[code] ?? ['internal_error', 'could not be tried'];
  return new CannotTell(reason, `${formatEndpoint(endpoint)} ${words} (${code})`, { cause });
}

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

/** The failure of each family. A host's own answer says more than a missing route, which is common for IPv6. */
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

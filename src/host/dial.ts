import { connect, isIPv6, type Socket } from 'node:net';
import { CannotTell, type Endpoint, type ProbeFailure } from '../check.ts';

/**
 * The head start of one address over the next: RFC 8305, section 5. Earlier attempts go on meanwhile; Node's own
 * autoSelectFamily ends them at this time, so that over a satellite link a working address would look dead.
 */
const headStartMs = 250;

/** An endpoint as people write it, IPv6 in brackets. */
export const hostPort = ({ host, port }: Endpoint): string => `${isIPv6(host) ? `[${host}]` : host}:${port}`;

/**
 * A TCP connection to the first of the addresses that accepts one. The caller destroys it.
 *
 * @throws CannotTell `refused` or `timed_out` as the network says, `internal_error` where this device is at fault.
 */
export function dial(addresses: readonly string[], port: number, signal: AbortSignal): Promise<Socket> {
  const waiting = [...addresses];
  const open = new Set<Socket>();
  const failures: CannotTell[] = [];

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
        resolve(socket);
      });
      // Stays for the life of the socket: what happens to it after its use must not end the process.
      socket.on('error', (error) => {
        if (!open.delete(socket)) return;
        failures.push(failureOf(error, { host, port }));
        if (waiting.length > 0) return attempt();
        if (open.size > 0) return;
        settle();
        reject(mostTelling(failures));
      });
      if (waiting.length > 0) headStart = setTimeout(attempt, headStartMs);
    };

    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    attempt();
  });
}

/** What the network can say to a connection request; anything else is a fault of this device. */
const networkAnswers: Readonly<Record<string, readonly [ProbeFailure, string]>> = {
  ECONNREFUSED: ['refused', 'refused the connection'],
  ECONNRESET: ['refused', 'reset the connection'],
  EHOSTUNREACH: ['refused', 'is a host the network cannot reach'],
  ENETUNREACH: ['refused', 'is in a network this device has no route to'],
  EACCES: ['refused', "is blocked by this device's own firewall"],
  EPERM: ['refused', "is blocked by this device's own firewall"],
  ETIMEDOUT: ['timed_out', 'did not answer until the system gave up'],
};

function failureOf(cause: NodeJS.ErrnoException, endpoint: Endpoint): CannotTell {
  const code = cause.code ?? cause.message;
  const [reason, words] = networkAnswers[code] ?? ['internal_error', 'could not be tried'];
  return new CannotTell(reason, `${hostPort(endpoint)} ${words} (${code})`, { cause });
}

/** A host's own answer says more than a missing route, which is usual for IPv6. */
const mostTelling = (failures: readonly CannotTell[]): CannotTell | undefined =>
  failures.find(
    ({ message }) => !/\((ENETUNREACH|EHOSTUNREACH|EADDRNOTAVAIL|EAFNOSUPPORT)\)$/.test(message),
  ) ?? failures[0];

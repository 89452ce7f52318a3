import { isIPv6 } from 'node:net';
import { CannotTell } from '../../check.ts';
import { isTimeout, withDeadline } from '../../deadline.ts';
import { formatEndpoint } from '../../endpoint.ts';
import type { Opened } from './connect.ts';
import { dial, isWithoutRoute, wasAccepted } from './dial.ts';

/** Enough for a connection request that was lost once and sent again 1 s later (RFC 6298, section 2). */
const answerSeconds = 1.5;

/**
 * What is wrong with the other address family of a target that was reached over one. Undefined where it works, the name has
 * no addresses of it, or this device has no route for it.
 */
export async function brokenFamily(
  { address, addresses, port }: Opened,
  signal: AbortSignal,
): Promise<string | undefined> {
  const others = addresses.filter((each) => isIPv6(each) !== isIPv6(address));
  const [first] = others;
  if (first === undefined) return undefined;
  const family = isIPv6(first) ? 'IPv6' : 'IPv4';
  try {
    const { socket } = await withDeadline(answerSeconds, signal, (deadline) => dial(others, port, deadline));
    socket.destroy();
    return undefined;
  } catch (error) {
    // The target's own time limit has passed; this family was not tested.
    if (signal.aborted && isTimeout(signal.reason)) return undefined;
    signal.throwIfAborted();
    if (wasAccepted(error)) return undefined;
    if (isTimeout(error))
      return `${family} does not work: no answer from ${formatEndpoint({ host: first, port })} within ${answerSeconds} s`;
    if (!(error instanceof CannotTell)) throw error;
    return isWithoutRoute(error) ? undefined : `${family} does not work: ${error.message}`;
  }
}

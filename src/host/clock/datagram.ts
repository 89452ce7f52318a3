import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { CannotTell } from '../../check.ts';
import { orAbort } from '../../deadline.ts';
import { codeOf } from '../../errors.ts';

interface Exchange {
  /** The server, for the error: `chronyd at 127.0.0.1:323`. */
  readonly who: string;
  /** An IP address. */
  readonly address: string;
  readonly port: number;
  readonly request: Uint8Array;
  /** Whether a datagram from that address answers the request. Others are ignored. */
  isAnswer(datagram: Buffer): boolean;
}

interface Answer {
  readonly datagram: Buffer;
  /** Both in milliseconds of `performance.now()`, which no step of the wall clock moves. */
  readonly sentAt: number;
  readonly receivedAt: number;
}

/**
 * Sends one UDP request and waits for its answer until the signal fires. The socket is connected, so the kernel
 * drops datagrams from other addresses, and reports an ICMP refusal. Throws {@link CannotTell} `not_found` when the
 * address cannot be reached or nothing listens there.
 */
export async function exchange(
  { who, address, port, request, isAnswer }: Exchange,
  signal: AbortSignal,
): Promise<Answer> {
  signal.throwIfAborted();
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  try {
    const answer = new Promise<Answer>((resolve, reject) => {
      let sentAt = 0;
      socket.on('error', reject);
      socket.on('message', (datagram) => {
        const receivedAt = performance.now();
        if (isAnswer(datagram)) resolve({ datagram, sentAt, receivedAt });
      });
      socket.on('connect', () => {
        sentAt = performance.now();
        socket.send(request);
      });
      socket.connect(port, address);
    });
    return await orAbort(answer, signal);
  } catch (cause) {
    signal.throwIfAborted();
    const code = codeOf(cause) ?? String(cause);
    const why = code === 'ECONNREFUSED' ? 'nothing listens there' : 'it could not be reached';
    throw new CannotTell('not_found', `${who} did not answer: ${why} (${code})`, { cause });
  } finally {
    socket.close();
  }
}

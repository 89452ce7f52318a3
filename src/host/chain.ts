import { createSecureContext } from 'node:tls';
import { CannotTell, type Host, probeFailures } from '../check.ts';
import { describeCertificate } from './certificates.ts';
import type { Connect } from './connect.ts';
import { hostPort } from './dial.ts';
import { peerCertificates } from './peer.ts';
import { createTimeline } from './timeline.ts';

/**
 * The chain a TLS server presents, read whatever it is worth. Rejects with {@link CannotTell} `unreachable` for
 * whatever keeps the handshake from completing, and with the signal's reason.
 */
export function createPresentedChain({ connect }: { connect: Connect }): Host['presentedChain'] {
  // Without authorities: Node would complete the chain with a root of ours that the server did not send.
  const context = createSecureContext({ ca: [] });

  return (endpoint, signal) =>
    connect
      .tls(
        { endpoint, timeline: createTimeline(), context },
        async (socket) => {
          const chain = peerCertificates(socket).map(describeCertificate);
          if (chain.length === 0)
            throw new CannotTell('unreadable', `${hostPort(endpoint)} presented no certificate`);
          return chain;
        },
        signal,
      )
      .catch((error: unknown) => {
        throw asUnreachable(error, hostPort(endpoint));
      });
}

/** What a probe would tell as a failure, as one reason. */
export const asUnreachable = (error: unknown, target: string): unknown =>
  error instanceof CannotTell && probeFailures.some((reason) => reason === error.reason)
    ? new CannotTell('unreachable', `${target} could not be reached: ${error.message}`, { cause: error })
    : error;

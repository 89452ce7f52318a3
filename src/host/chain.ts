import { checkServerIdentity, createSecureContext, type TLSSocket } from 'node:tls';
import { CannotTell, type Endpoint, type Host, type PresentedChain, probeFailures } from '../check.ts';
import type { Connect } from './connect.ts';
import { describeCertificates } from './describe-certificate.ts';
import { hostPort } from './dial.ts';
import { findAuthority, peerCertificates } from './peer.ts';
import { createTimeline } from './timeline.ts';
import type { Trust, Trusted } from './trust.ts';

interface Options {
  readonly connect: Connect;
  readonly trust: Trust;
}

/**
 * The chain a TLS server presents, read whatever it is worth. Rejects with {@link CannotTell} `unreachable` for
 * whatever keeps the handshake from completing, and with the signal's reason.
 */
export function createPresentedChain({ connect, trust }: Options): Host['presentedChain'] {
  // Without authorities: Node would complete the chain with a root of ours that the server did not send.
  const context = createSecureContext({ ca: [] });

  return async (endpoint, signal) => {
    const trusted = await trust(signal);
    return connect
      .tls(
        { endpoint, timeline: createTimeline(), context },
        async (socket) => presented(socket, endpoint, trusted),
        signal,
      )
      .catch((error: unknown) => {
        throw asUnreachable(error, hostPort(endpoint));
      });
  };
}

function presented(socket: TLSSocket, endpoint: Endpoint, trusted: Trusted): PresentedChain {
  const chain = peerCertificates(socket);
  const [leaf] = chain;
  if (!leaf) throw new CannotTell('unreadable', `${hostPort(endpoint)} presented no certificate`);
  const authority = findAuthority(leaf, chain, trusted.authorities);
  const described = authority && describeCertificates([authority])[0];
  return {
    certificates: describeCertificates(chain),
    namesHost: checkServerIdentity(endpoint.host, socket.getPeerCertificate()) === undefined,
    ...(described ? { authority: described } : {}),
    ...(trusted.problem === undefined ? {} : { trustProblem: trusted.problem }),
  };
}

/** What a probe would tell as a failure, as one reason. */
export const asUnreachable = (error: unknown, target: string): unknown =>
  error instanceof CannotTell && probeFailures.some((reason) => reason === error.reason)
    ? new CannotTell('unreachable', `${target} could not be reached: ${error.message}`, { cause: error })
    : error;

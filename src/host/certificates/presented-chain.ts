import { checkServerIdentity, createSecureContext, type TLSSocket } from 'node:tls';
import { CannotTell } from '../../check.ts';
import { type Endpoint, formatEndpoint } from '../../endpoint.ts';
import type { Host } from '../../host.ts';
import type { Connect } from '../network/connect.ts';
import { asReason } from '../network/failure.ts';
import { createTimeline } from '../network/timeline.ts';
import { findAuthority } from '../tls/peer.ts';
import type { Trust, Trusted } from '../tls/trust.ts';
import { describeCertificates } from './describe-certificate.ts';
import type { PresentedChain } from './types.ts';
import { createWireOrder, type WireOrder } from './wire-order.ts';

interface Options {
  readonly connect: Connect;
  readonly trust: Trust;
}

/**
 * The chain a TLS server presents, read even when it does not verify. Rejects with {@link CannotTell} `unreachable` when the
 * handshake does not complete, and with the signal's reason.
 */
export function createPresentedChain({ connect, trust }: Options): Host['presentedChain'] {
  // Without CAs: Node would complete the chain with a root of ours that the server did not send.
  const context = createSecureContext({ ca: [] });
  const wireOrder = createWireOrder();

  return async (endpoint, signal) => {
    const trusted = await trust(signal);
    return connect
      .tls(
        { endpoint, timeline: createTimeline(), context },
        async (socket) => presented(socket, endpoint, trusted, wireOrder),
        signal,
      )
      .catch((error: unknown) => {
        throw asReason('unreachable', formatEndpoint(endpoint), error);
      });
  };
}

function presented(
  socket: TLSSocket,
  endpoint: Endpoint,
  trusted: Trusted,
  wireOrder: WireOrder,
): PresentedChain {
  const namesHost = checkServerIdentity(endpoint.host, socket.getPeerCertificate()) === undefined;
  const chain = wireOrder(socket, formatEndpoint(endpoint));
  const [leaf] = chain;
  if (!leaf) throw new CannotTell('unreadable', `${formatEndpoint(endpoint)} presented no certificate`);
  const authority = findAuthority(leaf, chain, trusted.authorities);
  const described = authority && describeCertificates([authority])[0];
  return {
    certificates: describeCertificates(chain),
    namesHost,
    ...(described ? { authority: described } : {}),
    ...(trusted.problem === undefined ? {} : { trustProblem: trusted.problem }),
  };
}

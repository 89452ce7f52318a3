import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { peerCertificates } from '../tls/peer.ts';

/** What a server sent, in the order it sent it. Consumes the socket's chain: asked for once, and last. */
export type WireOrder = (socket: TLSSocket, server: string) => readonly X509Certificate[];

const keepMs = 86_400_000;

/**
 * `getPeerCertificate` follows issuers through what was sent, so it shows neither the order of the wire nor all of it.
 * `getPeerX509Certificate` does both, for it strings together what OpenSSL received; but it takes the certificates from
 * OpenSSL without releasing them, some 20 KB at each handshake (Node.js 20 and 24). So it is asked when the chain is a
 * new one, at every look while it is not in order, and otherwise once a day.
 */
export function createWireOrder({ now = () => performance.now() } = {}): WireOrder {
  const inOrder = new Map<string, Seen>();
  return (socket, server) => {
    const linked = peerCertificates(socket);
    const fingerprints = fingerprintsOf(linked);
    const known = inOrder.get(server);
    if (known?.fingerprints === fingerprints && now() - known.at < keepMs) return known.sent;
    const sent = sentCertificates(socket);
    const beginning = fingerprintsOf(sent.slice(0, linked.length));
    if (beginning === fingerprints) inOrder.set(server, { fingerprints, sent, at: now() });
    else inOrder.delete(server);
    // Nothing promises this behaviour: without it the order is not known, and the chain is as good as can be told.
    return linked.every((each) => fingerprintsOf(sent).includes(each.fingerprint256)) ? sent : linked;
  };
}

interface Seen {
  readonly fingerprints: string;
  readonly sent: readonly X509Certificate[];
  readonly at: number;
}

function sentCertificates(socket: TLSSocket): readonly X509Certificate[] {
  const sent: X509Certificate[] = [];
  let at = socket.getPeerX509Certificate();
  while (at) {
    sent.push(new X509Certificate(at.raw));
    at = at.issuerCertificate;
  }
  return sent;
}

const fingerprintsOf = (certificates: readonly X509Certificate[]): string =>
  certificates.map(({ fingerprint256 }) => fingerprint256).join();

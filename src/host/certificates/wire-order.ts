import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { peerCertificates } from '../tls/peer.ts';

/** What a server sent, in the order it sent it. Consumes the socket's chain, so it is called once, and last. */
export type WireOrder = (socket: TLSSocket, server: string) => readonly X509Certificate[];

const keepMs = 86_400_000;

/**
 * `getPeerCertificate` follows issuers through what was sent, so it shows neither the order on the wire nor all of it.
 * `getPeerX509Certificate` shows both, but takes the certificates from OpenSSL without releasing them, some 20 KB a
 * handshake (Node.js 20 and 24). So it is called for a new chain, at every run while the chain is out of order, and
 * otherwise once a day.
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
    // This behaviour is not documented. Without it the order is unknown, and the linked chain is the best there is.
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

import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { peerCertificates } from '../tls/peer.ts';

/**
 * What a server sent, in the order it sent it; the same array while that does not change. `presented` is what
 * `getPeerCertificate(true)` returned. Consumes the socket's chain, so it is called once, and last.
 */
export type WireOrder = (
  socket: TLSSocket,
  presented: DetailedPeerCertificate,
  server: string,
) => readonly X509Certificate[];

const keepMs = 86_400_000;

/**
 * `getPeerCertificate` follows issuers through what was sent, so it shows neither the order on the wire nor all of it.
 * `getPeerX509Certificate` shows both, but takes the certificates from OpenSSL without releasing them, some 20 KB a
 * handshake (Node.js 20 and 24). So it is called for a new chain, at every run while the chain is out of order, and
 * otherwise once a day.
 */
export function createWireOrder({ now = () => performance.now() } = {}): WireOrder {
  const inOrder = new Map<string, Seen>();
  return (socket, presented, server) => {
    // With the issuers that Node.js has added from its trusted CAs.
    const linked = peerCertificates(presented);
    const fingerprints = fingerprintsOf(linked);
    const known = inOrder.get(server);
    if (known?.fingerprints === fingerprints && now() - known.at < keepMs) return known.sent;
    const sent = sentCertificates(socket);
    const sentLinked = linked.filter((each) => fingerprintsOf(sent).includes(each.fingerprint256));
    const distinct = new Set(sent.map(({ fingerprint256 }) => fingerprint256));
    const beginning = [...distinct].slice(0, sentLinked.length).join();
    if (beginning === fingerprintsOf(sentLinked)) inOrder.set(server, { fingerprints, sent, at: now() });
    else inOrder.delete(server);
    // This behaviour is not documented. Without it the order is unknown, and the linked chain is the best there is.
    return sent[0]?.fingerprint256 === linked[0]?.fingerprint256 ? sent : linked;
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

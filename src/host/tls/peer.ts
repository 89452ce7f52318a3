import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { findAuthority } from './authority.ts';
import { isNameCode, nameFault } from './handshake.ts';
import { createSignatureChecks } from './signature-checks.ts';
import type { Trusted } from './trust.ts';
import { describeVerifyCode, isDateCode } from './verify-code.ts';

/** What is wrong with the certificate that a server presented. */
export interface PeerFault {
  readonly kind: 'untrusted' | 'time' | 'name' | 'other';
  /** A sentence without its full stop. */
  readonly detail: string;
}

/**
 * The certificates of a completed handshake, leaf first, each followed by its issuer as far as it was sent.
 *
 * @param presented what `getPeerCertificate(true)` returns, half a millisecond of work
 */
export function peerCertificates(presented: DetailedPeerCertificate): X509Certificate[] {
  const all: X509Certificate[] = [];
  const seen = new Set<string>();
  let at = presented;
  // A root is its own issuer here; `raw` is absent where the server sent no certificate.
  while (at?.raw !== undefined && !seen.has(at.fingerprint256)) {
    seen.add(at.fingerprint256);
    all.push(new X509Certificate(at.raw));
    at = at.issuerCertificate;
  }
  return all;
}

/** Judges the certificate of a {@link handshake}; undefined when nothing is wrong with it. */
export async function judgePeer(
  socket: TLSSocket,
  host: string,
  trusted: Trusted,
  now: Date,
): Promise<PeerFault | undefined> {
  if (socket.authorized) return undefined;
  const presented = socket.getPeerCertificate(true);
  const chain = peerCertificates(presented);
  const [leaf] = chain;
  if (leaf === undefined) return { kind: 'other', detail: 'The server presented no certificate' };
  const code = String(socket.authorizationError);

  // OpenSSL reports only the last of several faults. An expired or unsuitable certificate may hide an unknown issuer, so the
  // issuer is checked first, and here.
  const isTrusted = () => findAuthority(chain, trusted.authorities, createSignatureChecks());
  if (!isNameCode(code) && !(await isTrusted())) {
    const issuer = shortName((chain.at(-1) ?? leaf).issuer);
    return {
      kind: 'untrusted',
      detail: `The certificate was issued by "${issuer}", which this device does not trust (${code})`,
    };
  }
  const named = nameFault(host, presented);
  if (named)
    return { kind: 'name', detail: `The certificate is not for ${host} (${shortName(named.message)})` };
  if (isDateCode(code)) {
    return {
      kind: 'time',
      detail: outsideValidity(chain, now) ?? `The certificate is not valid now (${code})`,
    };
  }
  return { kind: 'other', detail: `The certificate does not verify: ${describeVerifyCode(code)} (${code})` };
}

function outsideValidity(chain: readonly X509Certificate[], now: Date): string | undefined {
  for (const { subject, validFrom, validTo } of chain) {
    if (new Date(validTo) < now) return `The certificate "${shortName(subject)}" expired on ${day(validTo)}`;
    if (new Date(validFrom) > now)
      return `The certificate "${shortName(subject)}" is valid only from ${day(validFrom)}`;
  }
  return undefined;
}

const day = (date: string): string => new Date(date).toISOString().slice(0, 10);

/** A distinguished name for a message. The other side chose it, so it is bounded. */
const shortName = (name: string): string => distinguishedName(name).slice(0, 200);

/** A distinguished name on one line, `CN=…, O=…`. Node returns one attribute a line. */
export const distinguishedName = (name: string | undefined): string => (name ?? '').split('\n').join(', ');

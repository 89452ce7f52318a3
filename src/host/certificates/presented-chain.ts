import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { CannotTell } from '../../check.ts';
import { formatEndpoint } from '../../endpoint.ts';
import type { Host } from '../../host.ts';
import type { Connect } from '../network/connect.ts';
import { asReason, asTimeout } from '../network/failure.ts';
import { createTimeline } from '../network/timeline.ts';
import { findAuthority, maxPathLength } from '../tls/authority.ts';
import { isNameCode, nameFault } from '../tls/handshake.ts';
import { createSignatureChecks } from '../tls/signature-checks.ts';
import type { Trust, Trusted } from '../tls/trust.ts';
import { describeVerifyCode } from '../tls/verify-code.ts';
import { describeCertificates } from './describe-certificate.ts';
import type { Certificate, PresentedChain, Verification } from './types.ts';
import { createWireOrder } from './wire-order.ts';

interface Options {
  readonly connect: Connect;
  readonly trust: Trust;
}

/**
 * The chain a TLS server presents, read even when it does not verify or when the server then demands a certificate of the
 * client. Rejects with {@link CannotTell} `unreachable` when the handshake fails for another reason, `timed_out` with what it
 * was waiting for at a deadline, and otherwise with the signal's reason.
 */
export function createPresentedChain({ connect, trust }: Options): Host['presentedChain'] {
  const wireOrder = createWireOrder();

  return async (endpoint, signal) => {
    const server = formatEndpoint(endpoint);
    const trusted = await trust(signal);
    let presented: Presented | undefined;
    const timeline = createTimeline();
    const onPresented = (socket: TLSSocket) => {
      const namesHost = nameFault(endpoint.host, socket.getPeerCertificate()) === undefined;
      presented = { namesHost, chain: wireOrder(socket, server) };
    };
    const verification = await connect
      .tls(
        { endpoint, timeline, context: trusted.context, onPresented },
        async (socket) => verificationOf(socket),
        signal,
      )
      .catch((error: unknown) => {
        if (presented && isDemandForCertificate(error)) return undefined;
        throw asTimeout(timeline, signal, asReason('unreachable', server, error));
      });
    if (!presented?.chain[0]) throw new CannotTell('unreadable', `${server} presented no certificate`);
    return { ...(await describe(presented, trusted)), ...(verification && { verification }) };
  };
}

interface Presented {
  readonly namesHost: boolean;
  readonly chain: readonly X509Certificate[];
}

function verificationOf(socket: TLSSocket): Verification {
  const code = String(socket.authorizationError);
  // The name is judged apart, whatever the rest is.
  if (socket.authorized || isNameCode(code)) return { accepted: true };
  return { accepted: false, code, clause: describeVerifyCode(code) };
}

/** How servers refuse a client without a certificate (RFC 5246, section 7.4.6), those of Windows by closing the connection. */
const isDemandForCertificate = (error: unknown): boolean =>
  error instanceof CannotTell &&
  error.reason === 'tls_failed' &&
  /ECONNRESET|ALERT_(?:HANDSHAKE_FAILURE|BAD_CERTIFICATE|CERTIFICATE_REQUIRED|CERTIFICATE_UNKNOWN|ACCESS_DENIED)/.test(
    error.message,
  );

async function describe({ namesHost, chain }: Presented, trusted: Trusted): Promise<PresentedChain> {
  const isSignedBy = createSignatureChecks();
  const certificates = await describeCertificates(chain, isSignedBy);
  const path = pathFromLeaf(chain, certificates);
  const authority = await findAuthority(path, trusted.authorities, isSignedBy);
  const [described] = authority ? await describeCertificates([authority], isSignedBy) : [];
  const tooLong = path.length > maxPathLength || certificates.some(({ signerUnknown }) => signerUnknown);
  const trustProblem =
    trusted.problem ??
    (tooLong ? `its chain has ${chain.length} certificates, more than are followed` : undefined);
  return {
    certificates,
    namesHost,
    ...(described && { authority: described }),
    ...(trustProblem !== undefined && { trustProblem }),
  };
}

/** The server's certificate, each followed by its issuer, as far as they were sent. */
function pathFromLeaf(
  chain: readonly X509Certificate[],
  described: readonly Certificate[],
): readonly X509Certificate[] {
  const places = new Set<number>();
  for (let at: number | undefined = 0; at !== undefined && !places.has(at); at = described[at]?.signer) {
    places.add(at);
  }
  return [...places].flatMap((place) => chain[place] ?? []);
}

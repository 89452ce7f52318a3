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
  const describe = createDescribe();

  return async (endpoint, signal) => {
    const server = formatEndpoint(endpoint);
    const trusted = await trust(signal);
    let presented: Presented | undefined;
    const timeline = createTimeline();
    const onPresented = (socket: TLSSocket) => {
      const certificate = socket.getPeerCertificate(true);
      const namesHost = nameFault(endpoint.host, certificate) === undefined;
      presented = { namesHost, chain: wireOrder(socket, certificate, server) };
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
    const { namesHost, chain } = presented;
    return { namesHost, ...(await describe(chain, trusted)), ...(verification && { verification }) };
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

type Description = Omit<PresentedChain, 'namesHost' | 'verification'>;

/** Describes chains. Their signatures are checked once, as long as chain and authorities stay the same. */
function createDescribe(): (chain: readonly X509Certificate[], trusted: Trusted) => Promise<Description> {
  const known = new WeakMap<
    readonly X509Certificate[],
    { readonly authorities: Trusted['authorities']; readonly facts: Facts }
  >();
  return async (chain, { authorities, problem }) => {
    const last = known.get(chain);
    const facts = last?.authorities === authorities ? last.facts : await factsOf(chain, authorities);
    known.set(chain, { authorities, facts });
    const { certificates, authority, tooLong } = facts;
    const trustProblem =
      problem ?? (tooLong ? `its chain has ${chain.length} certificates, more than are followed` : undefined);
    return {
      certificates,
      ...(authority && { authority }),
      ...(trustProblem !== undefined && { trustProblem }),
    };
  };
}

interface Facts {
  readonly certificates: readonly Certificate[];
  readonly authority: Certificate | undefined;
  /** The path to the authority has more certificates, or more signatures to check, than are followed. */
  readonly tooLong: boolean;
}

async function factsOf(
  chain: readonly X509Certificate[],
  authorities: Trusted['authorities'],
): Promise<Facts> {
  const isSignedBy = createSignatureChecks();
  const certificates = await describeCertificates(chain, isSignedBy);
  const path = pathFromLeaf(chain, certificates);
  const found = await findAuthority(path, authorities, isSignedBy);
  const [authority] = found ? await describeCertificates([found], isSignedBy) : [];
  const tooLong = path.length > maxPathLength || certificates.some(({ signerUnknown }) => signerUnknown);
  return { certificates, authority, tooLong };
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

import { isTimeout, orAbort } from '../../deadline.ts';
import { codeOf } from '../../errors.ts';
import {
  type CredentialSource,
  type HubDetail,
  HubError,
  type HubLog,
  type HubReason,
  type OpenSession,
} from '../session.ts';
import { createTransport, portsOf } from './transport.ts';

/** How to reach edgeHub. `auto`: MQTT, and over WebSocket when connections for MQTT are refused. */
export type TransportChoice = 'mqtt' | 'mqttws' | 'auto';

export interface OpenSessionOptions {
  readonly credentials: CredentialSource;
  readonly transport: TransportChoice;
  readonly log: Pick<HubLog, 'warn'>;
  /** A clock that no step moves, in milliseconds. */
  readonly monotonic?: () => number;
}

/** Failed connections before WebSocket is tried; from then on, both in turn. */
const maxRefused = 3;
/** How long WebSocket is used before MQTT, which an edgeHub that was only restarting offers again, is tried once. */
const webSocketMs = 6 * 3_600_000;

/** Opens sessions with the SDK. Without deadlines of its own. */
export function createOpenSession(options: OpenSessionOptions): OpenSession {
  const { credentials, transport, log, monotonic = () => performance.now() } = options;
  let webSocket = transport === 'mqttws';
  let webSocketSince = 0;
  let refused = 0;
  let inTurn = false;

  function onRefused(ports: Ports): void {
    refused += 1;
    if (transport !== 'auto' || (!inTurn && refused < maxRefused)) return;
    webSocket = !webSocket;
    webSocketSince = monotonic();
    if (!inTurn) log.warn({}, `${refusedText(ports)}, trying MQTT over WebSocket on port ${ports.webSocket}`);
    inTurn = true;
  }

  return async (methods, events, signal) => {
    events.onAwait({
      reason: credentials.failure,
      missing: `No credentials have come from ${credentials.name}`,
    });
    const credential = await credentials.get(signal).catch((cause: unknown) => {
      throw new HubError(credentials.failure, `Could not get credentials from ${credentials.name}`, cause);
    });
    signal.throwIfAborted();
    if (transport === 'auto' && monotonic() - webSocketSince >= webSocketMs) webSocket = false;
    events.onAwait({ reason: 'offline', missing: 'edgeHub has not accepted the connection' });
    const over = webSocket;
    const ports = portsOf(credential.gateway ?? credential.host);
    const { twin, connect, send, disconnect, cut, failure } = createTransport(
      credential,
      over,
      methods,
      events,
    );
    await cutOnAbort(signal, cut, connect).catch((error: unknown) => {
      const cause = signal.aborted ? signal.reason : (failure() ?? error);
      const diagnosis = diagnose(cause);
      if (diagnosis.wasRefused) onRefused(ports);
      const overWebSocket = over && diagnosis.wasRefused ? `over WebSocket on port ${ports.webSocket}` : '';
      const where = inTurn ? inTurnText(over, ports) : overWebSocket;
      const message = `${diagnosis.message} ${where}`.trim();
      throw new HubError(diagnosis.reason, message, diagnosis.cause, diagnosis.detail);
    });
    refused = 0;
    if (!over) inTurn = false;
    return {
      notice: inTurn
        ? `Connected over WebSocket on port ${ports.webSocket}: ${refusedText(ports)}`
        : undefined,
      readTwin: twin.read,
      update: twin.update,
      send,
      close: (abort) => cutOnAbort(abort, cut, disconnect),
    };
  };
}

type Ports = ReturnType<typeof portsOf>;

const refusedText = ({ mqtt }: Ports): string =>
  `${maxRefused} MQTT connections to edgeHub on port ${mqtt} were refused or got no answer`;

function inTurnText(overWebSocket: boolean, ports: Ports): string {
  const [mqtt, webSocket] = [`MQTT on port ${ports.mqtt}`, `WebSocket on port ${ports.webSocket}`];
  const [now, next] = overWebSocket ? [webSocket, mqtt] : [mqtt, webSocket];
  return `over ${now}, which is tried in turn with ${next}`;
}

interface Diagnosis {
  readonly reason: HubReason;
  readonly message: string;
  /** What the message leaves to be said. */
  readonly cause?: unknown;
  /** Nothing that speaks MQTT was reached: another transport may be. */
  readonly wasRefused?: boolean;
  readonly detail?: HubDetail;
}

// Node.js's error codes for certificates: those of OpenSSL, and its own for names.
const certificateCode = /CERT|^UNABLE_TO_|^SELF_SIGNED|^INVALID_CA|^PATH_LENGTH|^HOSTNAME_MISMATCH/;
const nameCode = /^(ENOTFOUND|EAI_)/;

/** The return code of CONNACK (MQTT 3.1.1, section 3.2.2.3). A DOMException has numbers of its own. */
const connackCode = (error: unknown): number | undefined =>
  error instanceof Error &&
  !(error instanceof DOMException) &&
  'code' in error &&
  typeof error.code === 'number'
    ? error.code
    : undefined;

function diagnose(error: unknown): Diagnosis {
  if (isTimeout(error))
    return { reason: 'offline', message: 'edgeHub did not answer', cause: error, wasRefused: true };
  const refusal = connackCode(error);
  // Identifier rejected, bad user name or password, not authorized.
  if (refusal === 2 || refusal === 4 || refusal === 5)
    return { reason: 'not_authorized', message: "edgeHub refused the module's token" };
  if (refusal !== undefined) {
    const cause = new Error('it is unavailable, or has too many clients');
    return { reason: 'offline', message: 'edgeHub refused the connection', cause, detail: 'unavailable' };
  }
  const code = codeOf(error) ?? '';
  if (certificateCode.test(code)) return rejectedCertificate(error, code);
  const message = 'Could not open the connection to edgeHub';
  // Node.js's words for a server that speaks another protocol.
  const hungUp = error instanceof Error && error.message === 'socket hang up';
  const cause = hungUp ? new Error('it was closed before an answer came') : error;
  return { reason: 'offline', message, cause, wasRefused: !nameCode.test(code) };
}

const maxNamesLength = 200;

function rejectedCertificate(error: unknown, code: string): Diagnosis {
  const rejected = { reason: 'certificate_rejected', message: "edgeHub's certificate was rejected" } as const;
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return { ...rejected, cause: error, detail: 'wrong_time' };
  if (code !== 'ERR_TLS_CERT_ALTNAME_INVALID') return { ...rejected, cause: error };
  const { host, cert } = error as NameError;
  const names = (cert?.subjectaltname ?? '').replaceAll(/(DNS|IP Address):/g, '').slice(0, maxNamesLength);
  const cause = new Error(`it is for ${names || 'no name'}, not for ${host}`);
  return { ...rejected, cause, detail: 'wrong_name' };
}

/** Node.js's error for a certificate that does not contain the host's name. */
interface NameError {
  readonly host: string;
  readonly cert?: { readonly subjectaltname?: string };
}

/** Runs work; when the signal fires meanwhile, destroys the connection and rejects with the signal's reason. */
async function cutOnAbort(signal: AbortSignal, cut: () => void, work: () => Promise<unknown>): Promise<void> {
  signal.addEventListener('abort', cut);
  try {
    // The SDK does not settle some calls when their connection goes.
    await orAbort(work(), signal);
  } finally {
    signal.removeEventListener('abort', cut);
    // Takes precedence over the SDK's error for the destroyed connection.
    signal.throwIfAborted();
  }
}

import { CannotTell, type Host, type Probe, type ProbeTarget, probeFailures } from '../check.ts';
import { isTimeout } from '../deadline.ts';
import type { Connect } from './connect.ts';
import { exchangeHttps } from './https-exchange.ts';
import { judgePeer } from './peer.ts';
import { createTimeline, type Timeline } from './timeline.ts';
import type { Trust } from './trust.ts';

interface Options {
  readonly connect: Connect;
  readonly trust: Trust;
}

/**
 * One attempt to reach a target: `tcp` connects, `tls` completes a handshake and judges the certificate, `https`
 * asks for the path as well. A deadline (the signal fires with a `TimeoutError`) is an answer, with the phases that
 * were reached; any other reason rejects. Throws {@link CannotTell} where this device is itself at fault, and where
 * an issuer is unknown but the device's trust bundle could not be read.
 */
export function createProbe({ connect, trust }: Options): Host['probe'] {
  return async (target, signal) => {
    const timeline = createTimeline();
    try {
      await attempt({ target, connect, trust, timeline }, signal);
      return { seconds: timeline.seconds };
    } catch (error) {
      return { failure: failureOf(error, timeline, signal), seconds: timeline.seconds };
    }
  };
}

interface Attempt extends Options {
  readonly target: ProbeTarget;
  readonly timeline: Timeline;
}

async function attempt({ target, connect, trust, timeline }: Attempt, signal: AbortSignal): Promise<void> {
  const endpoint = { host: target.host, port: target.port };
  if (target.scheme === 'tcp') return connect.tcp({ endpoint, timeline }, async () => undefined, signal);

  const trusted = await trust(signal);
  await connect.tls(
    { endpoint, timeline, context: trusted.context },
    async (socket) => {
      const fault = judgePeer(socket, endpoint.host, trusted, new Date());
      if (fault?.kind === 'untrusted' && trusted.problem !== undefined) {
        throw new CannotTell('unreadable', `${fault.detail}, but ${trusted.problem}`);
      }
      if (fault)
        throw new CannotTell(fault.kind === 'untrusted' ? 'intercepted' : 'tls_failed', fault.detail);
      if (target.scheme !== 'https') return;

      const path = target.path ?? '/';
      const asked = `the request GET ${path}`;
      const { status } = await timeline.run('first_byte', asked, () =>
        exchangeHttps(socket, { method: 'GET', endpoint, path }, signal),
      );
      if (!isExpected(status, target))
        throw new CannotTell('http_status', `GET ${path} was answered ${status}`);
    },
    signal,
  );
}

/** A path that was named must be there, or ask for credentials, as registries do; otherwise any answer proves the way. */
const isExpected = (status: number, { path }: ProbeTarget): boolean =>
  path === undefined ? status < 500 : (status >= 200 && status < 400) || status === 401;

function failureOf(error: unknown, timeline: Timeline, signal: AbortSignal): NonNullable<Probe['failure']> {
  if (signal.aborted) {
    if (!isTimeout(signal.reason)) throw signal.reason;
    return { reason: 'timed_out', detail: `No answer to ${timeline.waitingFor()}` };
  }
  if (!(error instanceof CannotTell)) throw error;
  const reason = probeFailures.find((each) => each === error.reason);
  if (reason === undefined) throw error;
  return { reason, detail: error.message };
}

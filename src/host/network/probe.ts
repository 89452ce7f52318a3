import { CannotTell } from '../../check.ts';
import { isTimeout } from '../../deadline.ts';
import { formatEndpoint } from '../../endpoint.ts';
import { codeOf } from '../../errors.ts';
import type { Host } from '../../host.ts';
import { judgePeer } from '../tls/peer.ts';
import type { Trust } from '../tls/trust.ts';
import type { Connect, Opened } from './connect.ts';
import { requestHead } from './http-head.ts';
import { brokenFamily } from './other-family.ts';
import { createTimeline, type Timeline } from './timeline.ts';
import { type Probe, type ProbeTarget, probeFailures } from './types.ts';

interface Options {
  readonly connect: Connect;
  readonly trust: Trust;
}

/**
 * One attempt to reach a target: `tcp` connects, `tls` completes a handshake and verifies the certificate, `https` requests
 * the path as well. A deadline (the signal fires with a `TimeoutError`) is an answer, with the phases that were reached;
 * any other reason rejects. Rejects with {@link CannotTell} for a fault of this device, and for an unknown issuer while
 * the device's trust bundle cannot be read.
 */
export function createProbe({ connect, trust }: Options): Host['probe'] {
  return async (target, signal) => {
    const timeline = createTimeline();
    const { seconds } = timeline;
    const proxied = target.scheme === 'tcp' ? undefined : connect.proxyFor(target);
    const proxy = proxied && { proxy: formatEndpoint(proxied) };
    let opened: Opened | undefined;
    const onOpen = (what: Opened) => {
      opened = what;
    };
    let answer: Probe['answer'];
    try {
      answer = await attempt({ target, connect, trust, timeline, onOpen }, signal);
    } catch (error) {
      return { failure: failureOf(error, timeline, signal), seconds, ...proxy };
    }
    const broken = opened && (await brokenFamily(opened, signal));
    return {
      seconds,
      ...proxy,
      ...(answer && { answer }),
      ...(broken !== undefined && { brokenFamily: broken }),
    };
  };
}

interface Attempt extends Options {
  readonly target: ProbeTarget;
  readonly timeline: Timeline;
  readonly onOpen: (opened: Opened) => void;
}

async function attempt(
  { target, connect, trust, timeline, onOpen }: Attempt,
  signal: AbortSignal,
): Promise<Probe['answer']> {
  const endpoint = { host: target.host, port: target.port };
  const to = { endpoint, timeline, onOpen };
  if (target.scheme === 'tcp') {
    await connect.tcp(to, signal);
    return undefined;
  }

  const trusted = await trust(signal);
  return connect.tls(
    { ...to, context: trusted.context },
    async (socket) => {
      const fault = await judgePeer(socket, endpoint.host, trusted, new Date());
      if (fault?.kind === 'untrusted' && trusted.problem !== undefined) {
        throw new CannotTell('unreadable', `${fault.detail}, but ${trusted.problem}`);
      }
      if (fault) {
        throw new CannotTell(fault.kind === 'untrusted' ? 'intercepted' : 'tls_failed', fault.detail);
      }
      if (target.scheme !== 'https') return undefined;

      const path = target.path ?? '/';
      const { status, headers } = await timeline.run('first_byte', `the request GET ${path}`, () =>
        requestHead(socket, { method: 'GET', endpoint, path }, signal),
      );
      return { status, contentType: headers.get('content-type') };
    },
    signal,
  );
}

function failureOf(error: unknown, timeline: Timeline, signal: AbortSignal): NonNullable<Probe['failure']> {
  if (signal.aborted) {
    if (!isTimeout(signal.reason)) throw signal.reason;
    return { reason: 'timed_out', detail: `No answer to ${timeline.waitingFor()}` };
  }
  if (!(error instanceof CannotTell)) throw error;
  const reason = probeFailures.find((each) => each === error.reason);
  if (reason === undefined) throw error;
  const code = reason === 'refused' ? codeOf(error.cause) : undefined;
  return { reason, detail: error.message, ...(code !== undefined && { code }) };
}

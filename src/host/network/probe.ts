import type { IncomingHttpHeaders } from 'node:http';
import { CannotTell } from '../../check.ts';
import { isTimeout } from '../../deadline.ts';
import { formatEndpoint } from '../../endpoint.ts';
import type { Host } from '../../host.ts';
import { judgePeer } from '../tls/peer.ts';
import type { Trust } from '../tls/trust.ts';
import type { Connect, Opened } from './connect.ts';
import { exchangeHttps } from './https-exchange.ts';
import { brokenFamily } from './other-family.ts';
import { createTimeline, type Timeline } from './timeline.ts';
import { type Probe, type ProbeTarget, probeFailures } from './types.ts';

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
    const { seconds } = timeline;
    const proxied = target.scheme === 'tcp' ? undefined : connect.proxyFor(target);
    const proxy = proxied && { proxy: formatEndpoint(proxied) };
    let opened: Opened | undefined;
    const onOpen = (what: Opened) => {
      opened = what;
    };
    try {
      await attempt({ target, connect, trust, timeline, onOpen }, signal);
    } catch (error) {
      return { failure: failureOf(error, timeline, signal), seconds, ...proxy };
    }
    const broken = opened && (await brokenFamily(opened, signal));
    return { seconds, ...proxy, ...(broken !== undefined && { brokenFamily: broken }) };
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
): Promise<void> {
  const endpoint = { host: target.host, port: target.port };
  const to = { endpoint, timeline, onOpen };
  if (target.scheme === 'tcp') return connect.tcp(to, async () => undefined, signal);

  const trusted = await trust(signal);
  await connect.tls(
    { ...to, context: trusted.context },
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
      const { status, headers } = await timeline.run('first_byte', asked, () =>
        exchangeHttps(socket, { endpoint, path }, signal),
      );
      if (!isExpected(status, target))
        throw new CannotTell('http_status', `GET ${path} was answered ${status}`);
      if (isPageInsteadOfRegistry(path, status, headers)) {
        const detail = `GET ${path} was answered with a page for people, not by a registry`;
        throw new CannotTell('wrong_content', detail);
      }
    },
    signal,
  );
}

/** A path that was named must be there, or ask for credentials, as registries do; otherwise any answer proves the way. */
const isExpected = (status: number, { path }: ProbeTarget): boolean =>
  path === undefined ? status < 500 : (status >= 200 && status < 400) || status === 401;

/**
 * The base of a registry's API answers in JSON or not at all (OCI distribution specification, "determining support"):
 * an HTML page with success is one of a captive portal or a filter that opens TLS.
 */
const isPageInsteadOfRegistry = (path: string, status: number, headers: IncomingHttpHeaders): boolean =>
  path === '/v2/' && status < 300 && /^text\/html\b/i.test(headers['content-type'] ?? '');

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

import { setTimeout } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { CannotTell } from '../../check.ts';
import { type Endpoint, endpointOf, formatEndpoint } from '../../endpoint.ts';
import type { Host } from '../../host.ts';
import type { Connect } from '../network/connect.ts';
import { asReason, asTimeout } from '../network/failure.ts';
import { type HttpHead, printable, requestHead } from '../network/http-head.ts';
import { createTimeline } from '../network/timeline.ts';
import { judgePeer } from '../tls/peer.ts';
import type { Trust } from '../tls/trust.ts';
import type { TimeSample } from './types.ts';
import { narrowToEdge, rangeOf, type WholeSecond } from './whole-second-offset.ts';

interface Options {
  readonly connect: Connect;
  readonly trust: Trust;
  /** The local clock, which is what is measured. */
  readonly now?: () => Date;
}

/** `Date` counts whole milliseconds. */
const localPrecisionSeconds = 1e-3;

/** 429 and 503: such a server is not asked again. */
const overloaded = [429, 503];

/**
 * The clock of a web server, from the `Date` headers (whole seconds: RFC 9110, sections 5.6.7 and 6.6.1) of its
 * answers to a few HEAD requests over one connection, timed to the edge of a second. Rejects with {@link CannotTell}
 * `not_found` when there is no answer, `unreadable` when the server is not who it says or its answer has no usable date,
 * and with the signal's reason.
 */
export function createHttpDate({ connect, trust, now = () => new Date() }: Options): Host['httpDate'] {
  return async (url, signal) => {
    const { endpoint, path } = parse(url);
    const trusted = await trust(signal);
    const timeline = createTimeline();
    const ask = async (socket: TLSSocket): Promise<TimeSample> => {
      const fault = await judgePeer(socket, endpoint.host, trusted, now());
      // A wrong local clock makes a good certificate seem expired or not yet valid. Any other fault is refused.
      if (fault && fault.kind !== 'time') {
        const why = fault.kind === 'untrusted' && trusted.problem ? `, but ${trusted.problem}` : '';
        throw new CannotTell('unreadable', `${url} cannot be trusted: ${fault.detail}${why}`);
      }
      // Read the local clock once: a step must not come between the answers.
      const zeroSeconds = (now().getTime() - performance.now()) / 1000;
      const clock = () => zeroSeconds + performance.now() / 1000;
      const askDate = async (attempt: AbortSignal): Promise<WholeSecond & { readonly status: number }> => {
        const sentSeconds = clock();
        const { status, headers } = await timeline.run('first_byte', `HEAD ${url}`, () =>
          requestHead(socket, { method: 'HEAD', endpoint, path }, attempt),
        );
        return { status, sentSeconds, receivedSeconds: clock(), answeredSeconds: dateSeconds(headers, url) };
      };
      const first = await askDate(signal);
      const range = overloaded.includes(first.status)
        ? rangeOf(first)
        : await narrowToEdge(first, { ask: askDate, now: clock, sleep }, signal);
      if (!range) throw new CannotTell('unreadable', `${url} answers with a date that stands still`);
      return {
        origin: formatEndpoint(endpoint),
        offsetSeconds: (range.low + range.high) / 2,
        errorSeconds: (range.high - range.low) / 2 + localPrecisionSeconds,
      };
    };
    return connect
      .tls({ endpoint, timeline, context: trusted.context }, ask, signal)
      .catch((error: unknown) => {
        throw asTimeout(timeline, signal, asReason('not_found', url, error));
      });
  };
}

const sleep = (seconds: number, signal: AbortSignal) => setTimeout(seconds * 1000, undefined, { signal });

/** IMF-fixdate, the one form a server may send: RFC 9110, section 5.6.7. */
const imfFixdate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

function dateSeconds(headers: HttpHead['headers'], url: string): number {
  const age = headers.get('age');
  // RFC 9111, section 5.1: with an Age the answer, and its date, were made for an earlier request.
  if (age !== undefined) {
    throw new CannotTell('unreadable', `${url} was answered by a cache (Age: ${printable(age, 20)})`);
  }
  const header = headers.get('date');
  const milliseconds = imfFixdate.test(header ?? '') ? Date.parse(header ?? '') : Number.NaN;
  if (!Number.isNaN(milliseconds)) return milliseconds / 1000;
  const found = header === undefined ? 'without a date' : `with the date "${printable(header, 40)}"`;
  throw new CannotTell('unreadable', `${url} was answered ${found}`);
}

function parse(text: string): { endpoint: Endpoint; path: string } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:') throw new CannotTell('unreadable', `"${text}" is not an https URL`);
  return { endpoint: endpointOf(url, 443), path: url.pathname + url.search };
}

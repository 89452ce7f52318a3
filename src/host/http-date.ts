import type { TLSSocket } from 'node:tls';
import { CannotTell, type Endpoint, type Host, type TimeSample } from '../check.ts';
import { asUnreachable } from './chain.ts';
import type { Connect } from './connect.ts';
import { exchangeHttps } from './https-exchange.ts';
import { judgePeer } from './peer.ts';
import { createTimeline } from './timeline.ts';
import type { Trust } from './trust.ts';

interface Options {
  readonly connect: Connect;
  readonly trust: Trust;
  /** The local clock, which is what is measured. */
  readonly now?: () => Date;
}

/**
 * The clock of a web server, from the `Date` header of its answer to HEAD. Rejects with {@link CannotTell}
 * `unreachable` when there is no answer or the server is not who it says, `unreadable` when the answer has no usable
 * date, and with the signal's reason.
 */
export function createHttpDate({ connect, trust, now = () => new Date() }: Options): Host['httpDate'] {
  return async (url, signal) => {
    const { endpoint, path } = parse(url);
    const trusted = await trust(signal);
    const ask = async (socket: TLSSocket): Promise<TimeSample> => {
      const fault = judgePeer(socket, endpoint.host, trusted, now());
      // A wrong local clock is exactly what makes a good certificate look expired or not yet valid. Anyone else's
      // certificate is still refused.
      if (fault && fault.kind !== 'time') {
        const why = fault.kind === 'untrusted' && trusted.problem ? `, but ${trusted.problem}` : '';
        throw new CannotTell('unreachable', `${url} is not to be believed: ${fault.detail}${why}`);
      }
      const sentMs = now().getTime();
      const startedAt = performance.now();
      const { headers } = await exchangeHttps(socket, { method: 'HEAD', endpoint, path }, signal);
      const elapsedSeconds = (performance.now() - startedAt) / 1000;
      // RFC 9111, section 5.1: with an Age the answer, and its date, were made for an earlier request.
      if (headers.age !== undefined) {
        throw new CannotTell(
          'unreadable',
          `${url} was answered by a cache (Age: ${headers.age.slice(0, 20)})`,
        );
      }
      return compare(sentMs / 1000, elapsedSeconds, dateSeconds(headers.date, url));
    };
    return connect
      .tls({ endpoint, timeline: createTimeline(), context: trusted.context }, ask, signal)
      .catch((error: unknown) => {
        throw asUnreachable(error, url);
      });
  };
}

/**
 * The header counts whole seconds (RFC 9110, sections 5.6.7 and 6.6.1), so the server's clock stood in
 * [date, date + 1) at some moment between request and answer.
 */
const compare = (sentSeconds: number, elapsedSeconds: number, dateSeconds: number): TimeSample => ({
  offsetSeconds: sentSeconds + elapsedSeconds / 2 - (dateSeconds + 0.5),
  errorSeconds: 0.5 + elapsedSeconds / 2,
});

/** IMF-fixdate, the one form a server may send: RFC 9110, section 5.6.7. */
const imfFixdate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

function dateSeconds(header: string | undefined, url: string): number {
  const milliseconds = imfFixdate.test(header ?? '') ? Date.parse(header ?? '') : Number.NaN;
  if (!Number.isNaN(milliseconds)) return milliseconds / 1000;
  const found = header === undefined ? 'without a date' : `with the date "${header.slice(0, 40)}"`;
  throw new CannotTell('unreadable', `${url} was answered ${found}`);
}

function parse(text: string): { endpoint: Endpoint; path: string } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:') throw new CannotTell('unreadable', `"${text}" is not an https URL`);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return {
    endpoint: { host, port: url.port === '' ? 443 : Number(url.port) },
    path: url.pathname + url.search,
  };
}

import { setTimeout } from 'node:timers/promises';
import { isTimeout, withDeadline } from '../../deadline.ts';
import { formatEndpoint } from '../../endpoint.ts';
import type { Host } from '../../host.ts';
import { asReason } from '../network/failure.ts';
import type { Resolve } from '../network/resolve.ts';
import { exchangeSntp, type SntpSample } from './sntp-exchange.ts';
import { addressOf, tryAddresses } from './try-addresses.ts';

const ntpPort = 123;

/** RFC 5905 keeps the last eight samples (section 10); its tools send a burst of four. */
const burstSize = 4;
/** BTIME, RFC 5905 section 13: rate-limiting servers treat faster requests as abuse. */
const burstIntervalSeconds = 2;
/**
 * Below this, another sample is not worth the wait: at most half of the delay enters the error, which is less than any
 * threshold for a clock that is corrected over the internet.
 */
const goodDelaySeconds = 0.05;

interface Options {
  readonly resolve: Resolve;
  /** The local clock, which is what is measured. */
  readonly now?: () => Date;
  readonly intervalSeconds?: number;
}

/**
 * SNTP version 4 (RFC 5905 section 14) with one server: `host`, `host:port` or `[v6]:port`. Its addresses are
 * asked in turn until the signal fires. The one that answers is asked again while its answers are slow, and the
 * sample with the least delay is kept. Throws {@link CannotTell} `unreadable` for an answer that is no time,
 * `not_found` where nothing listens.
 */
export function createSntp({
  resolve,
  now = () => new Date(),
  intervalSeconds = burstIntervalSeconds,
}: Options): Host['sntp'] {
  return async (server, signal) => {
    const { host, port } = addressOf(server, ntpPort);
    const addresses = await resolve(host, signal).catch((error: unknown) => {
      throw asReason('not_found', server, error);
    });
    const ask = (address: string, attempt: AbortSignal) =>
      exchangeSntp({ server, address, port, now }, attempt);
    const first = await tryAddresses(
      addresses,
      async (address, attempt) => ({ address, sample: await ask(address, attempt) }),
      signal,
    );
    const again = (attempt: AbortSignal) => ask(first.address, attempt);
    const { offsetSeconds, errorSeconds } = await refine(first.sample, again, intervalSeconds, signal);
    return { offsetSeconds, errorSeconds, origin: formatEndpoint({ host: first.address, port }) };
  };
}

/**
 * The clock filter of RFC 5905 section 10: of several samples the one with the least delay, whose two ways are the
 * least likely to have differed. A refusal ends the burst, and so does the deadline: one sample is there already.
 */
async function refine(
  first: SntpSample,
  again: (signal: AbortSignal) => Promise<SntpSample>,
  intervalSeconds: number,
  signal: AbortSignal,
): Promise<SntpSample> {
  let best = first;
  for (let asked = 1; asked < burstSize && best.delaySeconds > goodDelaySeconds; asked += 1) {
    try {
      await setTimeout(intervalSeconds * 1000, undefined, { signal });
      const next = await withDeadline(intervalSeconds, signal, again);
      if (next.delaySeconds < best.delaySeconds) best = next;
    } catch (error) {
      if (signal.aborted && !isTimeout(signal.reason)) throw signal.reason;
      const lost = !signal.aborted && isTimeout(error);
      if (!lost) return best;
    }
  }
  return best;
}

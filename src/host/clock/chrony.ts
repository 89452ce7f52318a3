import { randomBytes } from 'node:crypto';
import { CannotTell } from '../../check.ts';
import type { Host } from '../../host.ts';
import { asReason } from '../network/failure.ts';
import type { Resolve } from '../network/resolve.ts';
import { encodeTrackingRequest, isReplyTo, parseTracking, type Tracking } from './chrony-packet.ts';
import { exchange } from './datagram.ts';
import { addressOf, tryAddresses } from './try-addresses.ts';

/** chronyd's default `cmdport`. */
const commandPort = 323;
/** 127.127.1.1: chronyd's `local` directive applies, and it follows only the clock itself. */
const ownClock = 0x7f7f0101;
/**
 * Eight polls of 1024 s, chronyd's default `maxpoll`: then its register of the last eight polls is empty, and what
 * it still says of the clock is extrapolation.
 */
const maxAgeSeconds = 8 * 1024;

interface Options {
  readonly resolve: Resolve;
  readonly now?: () => Date;
}

/**
 * What chronyd at `host`, `host:port` or `[v6]:port` says of the system clock. Throws {@link CannotTell}
 * `not_found` where nothing listens, `unreadable` where chronyd has no current source.
 */
export function createChrony({ resolve, now = () => new Date() }: Options): Host['chrony'] {
  return async (address, signal) => {
    const { host, port } = addressOf(address, commandPort);
    const addresses = await resolve(host, signal).catch((error: unknown) => {
      throw asReason('unreadable', `chronyd at ${address}`, error);
    });
    const who = `chronyd at ${address}`;
    const tracking = await tryAddresses(addresses, (ip, attempt) => ask(who, ip, port, attempt), signal);

    const errorSeconds = tracking.rootDelaySeconds / 2 + tracking.rootDispersionSeconds;
    const fault = faultOf(tracking, now()) ?? (errorSeconds < 0 ? 'reports a negative error' : undefined);
    if (fault) throw new CannotTell('unreadable', `${who} ${fault}`);
    return { offsetSeconds: -tracking.currentCorrectionSeconds, errorSeconds };
  };
}

async function ask(who: string, address: string, port: number, signal: AbortSignal): Promise<Tracking> {
  const sequence = randomBytes(4).readUInt32BE();
  const request = encodeTrackingRequest(sequence);
  const isAnswer = (datagram: Buffer) => isReplyTo(datagram, sequence);
  const { datagram } = await exchange({ who, address, port, request, isAnswer }, signal);

  const tracking = parseTracking(datagram);
  if (typeof tracking === 'string') throw new CannotTell('unreadable', `${who} ${tracking}`);
  return tracking;
}

/** Why chronyd's tracking report is worthless at the moment. */
function faultOf(
  { leap, stratum, referenceId, referenceTimeSeconds }: Tracking,
  now: Date,
): string | undefined {
  if (leap === 3 || stratum === 0 || referenceId === 0) return 'is not synchronised';
  if (referenceId === ownClock) return 'follows only the clock itself (its local directive)';
  const age = Math.abs(now.getTime() / 1000 - referenceTimeSeconds);
  if (age > maxAgeSeconds) return `has not heard from its source for ${(age / 3600).toFixed(1)} h`;
  return undefined;
}

import { randomBytes } from 'node:crypto';
import { CannotTell } from '../../check.ts';
import { exchange } from './datagram.ts';
import {
  encodeRequest,
  headerBytes,
  kissCode,
  parsePacket,
  type SntpPacket,
  secondsBetween,
  toTimestamp,
} from './sntp-packet.ts';
import type { TimeSample } from './types.ts';

/** MAXDISP, RFC 5905 section 7.2: from here on a clock counts as unsynchronised (appendix A.5.1.1). */
const maxDistanceSeconds = 16;
/** PHI, RFC 5905 section 7.2: the assumed drift of a clock, in seconds per second. */
const toleratedDrift = 15e-6;
/** `Date` counts whole milliseconds. */
const localPrecisionSeconds = 1e-3;

/** One sample, and how far it travelled. */
export interface SntpSample extends TimeSample {
  /** How long request and answer were under way. */
  readonly delaySeconds: number;
}

interface Question {
  readonly server: string;
  readonly address: string;
  readonly port: number;
  readonly now: () => Date;
}

/** One request to one address, and what its answer says. Throws {@link CannotTell} for one that is no time. */
export async function exchangeSntp(
  { server, address, port, now }: Question,
  signal: AbortSignal,
): Promise<SntpSample> {
  // Random instead of the time: only a receiver of the request can answer it, and it reveals nothing.
  const nonce = randomBytes(8).readBigUInt64BE();
  const wallClockAtZero = now().getTime() - performance.now();
  const request = encodeRequest(nonce);
  // One too short to carry an origin is taken as an answer, to be refused by its length.
  const isAnswer = (datagram: Buffer) =>
    datagram.length < headerBytes || parsePacket(datagram).origin === nonce;
  const who = `${server} (${address})`;
  const { datagram, sentAt, receivedAt } = await exchange({ who, address, port, request, isAnswer }, signal);

  const refuse = (why: string) => new CannotTell('unreadable', `${who} ${why}`);
  if (datagram.length < headerBytes) throw refuse(`answered with ${datagram.length} bytes instead of 48`);
  const packet = parsePacket(datagram);
  const fault = faultOf(packet);
  if (fault) throw refuse(fault);
  const sample = measure(packet, wallClockAtZero + sentAt, (receivedAt - sentAt) / 1000);
  if (!sample) throw refuse('says it held the request longer than the answer took');
  if (sample.errorSeconds >= maxDistanceSeconds) {
    throw refuse(`gives its time only to within ${sample.errorSeconds.toFixed(0)} s`);
  }
  return sample;
}

/** Why an answer is no time, by the sanity checks of RFC 5905 section 14 and appendix A.5.1.1. */
function faultOf({
  mode,
  version,
  stratum,
  leap,
  transmit,
  receive,
  referenceId,
}: SntpPacket): string | undefined {
  if (mode !== 4) return `answered in mode ${mode} instead of 4 (server)`;
  if (version < 1 || version > 4) return `answered in NTP version ${version}`;
  if (stratum === 0) return `refused with kiss code ${kissCode(referenceId)} (stratum 0)`;
  if (stratum >= 16) return `is not synchronised itself (stratum ${stratum})`;
  if (leap === 3) return 'is not synchronised itself (leap indicator 3)';
  if (transmit === 0n || receive === 0n) return 'left its time out of the answer';
  return undefined;
}

/**
 * Offset and delay by RFC 5905 section 8; the error is the root distance of appendix A.5.5.2 for a single sample,
 * that is with the dispersion of appendix A.5.1.1 and without jitter. RFC's theta is server minus local, so the
 * sign is turned.
 */
function measure(packet: SntpPacket, sentAtUnixMs: number, elapsedSeconds: number): SntpSample | undefined {
  const precision = 2 ** packet.precision + localPrecisionSeconds;
  const held = secondsBetween(packet.receive, packet.transmit);
  // The server's clock was set between its two timestamps; half of the step would be in the offset.
  if (held < -precision || held > elapsedSeconds + precision) return undefined;

  const sent = toTimestamp(sentAtUnixMs);
  const outbound = secondsBetween(sent, packet.receive);
  const inbound = secondsBetween(sent, packet.transmit) - elapsedSeconds;
  const delay = Math.max(elapsedSeconds - held, precision);
  return {
    delaySeconds: delay,
    offsetSeconds: -(outbound + inbound) / 2,
    errorSeconds:
      (packet.rootDelaySeconds + delay) / 2 +
      packet.rootDispersionSeconds +
      precision +
      toleratedDrift * elapsedSeconds,
  };
}

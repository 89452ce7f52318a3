/**
 * The NTP packet header, RFC 5905 section 7.3, as far as a client of one exchange needs it. Timestamps stay
 * 64-bit fixed point (32 bits of seconds since 1900, 32 bits of fraction); delays are seconds.
 */
export interface SntpPacket {
  /** 3: the server's clock is not synchronised. */
  readonly leap: number;
  readonly version: number;
  /** 3 client, 4 server. */
  readonly mode: number;
  /** Distance from a reference clock; 0 is a kiss-o'-death, 16 and more is unsynchronised. */
  readonly stratum: number;
  /** Of the server's clock, in log2 seconds. */
  readonly precision: number;
  readonly rootDelaySeconds: number;
  readonly rootDispersionSeconds: number;
  readonly referenceId: number;
  readonly reference: bigint;
  readonly origin: bigint;
  readonly receive: bigint;
  readonly transmit: bigint;
}

/** Header length without extension fields and authenticator, which may follow it (RFC 5905 section 7.3). */
export const headerBytes = 48;

const clientMode = 3;
const version = 4;
const transmitAt = 40;

/** 1900-01-01 to 1970-01-01 (RFC 5905 section 6, figure 4). */
const secondsFrom1900To1970 = 2_208_988_800n;

/**
 * A client's request. Everything but version, mode and transmit timestamp is zero, so that the packet reveals nothing about
 * this machine. The timestamp is returned as the origin of the answer.
 */
export function encodeRequest(transmit: bigint): Buffer {
  const packet = Buffer.alloc(headerBytes);
  packet.writeUInt8((version << 3) | clientMode, 0);
  packet.writeBigUInt64BE(transmit, transmitAt);
  return packet;
}

/** Reads a packet of at least {@link headerBytes} bytes. */
export function parsePacket(packet: Buffer): SntpPacket {
  const first = packet.readUInt8(0);
  return {
    leap: first >> 6,
    version: (first >> 3) & 7,
    mode: first & 7,
    stratum: packet.readUInt8(1),
    precision: packet.readInt8(3),
    rootDelaySeconds: packet.readUInt32BE(4) / 2 ** 16,
    rootDispersionSeconds: packet.readUInt32BE(8) / 2 ** 16,
    referenceId: packet.readUInt32BE(12),
    reference: packet.readBigUInt64BE(16),
    origin: packet.readBigUInt64BE(24),
    receive: packet.readBigUInt64BE(32),
    transmit: packet.readBigUInt64BE(transmitAt),
  };
}

/** The four letters of a kiss-o'-death, RFC 5905 section 7.4; anything but letters and digits is shown as `?`. */
export const kissCode = (referenceId: number): string =>
  [24, 16, 8, 0]
    .map((shift) => String.fromCharCode((referenceId >>> shift) & 0xff))
    .map((letter) => (/[A-Za-z0-9]/.test(letter) ? letter : '?'))
    .join('');

/** A moment as an NTP timestamp without its era, which restarts at 0 on 2036-02-07. */
export function toTimestamp(unixMilliseconds: number): bigint {
  const microseconds = BigInt(Math.round(unixMilliseconds * 1000));
  const since1900 = microseconds + secondsFrom1900To1970 * 1_000_000n;
  return BigInt.asUintN(64, (since1900 << 32n) / 1_000_000n);
}

/**
 * Seconds from one timestamp to another. The difference is taken modulo 2^64 with a sign, which puts the two in
 * the eras in which they are nearest to each other: right whenever they are less than 68 years apart
 * (RFC 5905 section 6).
 */
export const secondsBetween = (from: bigint, to: bigint): number =>
  Number(BigInt.asIntN(64, to - from)) / 2 ** 32;

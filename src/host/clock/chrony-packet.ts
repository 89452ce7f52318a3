/**
 * chrony's command protocol, version 6, as far as the tracking report needs it. Layout and constants are those of
 * chrony's `candm.h`: `CMD_Request`, `CMD_Reply`, `RPY_Tracking`, `IPAddr`, `Timespec`, `Float`. Network byte order.
 */
const protocolVersion = 6;
const requestType = 1;
const replyType = 2;
const trackingCommand = 33;
const trackingReply = 5;

/** A reply has a header of 28 bytes; the tracking report follows it. */
const headerBytes = 28;
const trackingBytes = 104;

/** The part of chronyd's tracking report that says how good the clock is. */
export interface Tracking {
  /** Of the source followed: an IPv4 address, a hash of an IPv6 one, or a refclock's name; 0 for none. */
  readonly referenceId: number;
  readonly stratum: number;
  /** 3: not synchronised. */
  readonly leap: number;
  /** When the clock was last compared with the source, in seconds since 1970. */
  readonly referenceTimeSeconds: number;
  /** What must be added to the system clock to get NTP time: positive when the clock is behind. */
  readonly currentCorrectionSeconds: number;
  readonly rootDelaySeconds: number;
  readonly rootDispersionSeconds: number;
}

/** A request as long as its reply, which chronyd demands so that it cannot be used to amplify traffic. */
export function encodeTrackingRequest(sequence: number): Buffer {
  const packet = Buffer.alloc(trackingBytes);
  packet.writeUInt8(protocolVersion, 0);
  packet.writeUInt8(requestType, 1);
  packet.writeUInt16BE(trackingCommand, 4);
  packet.writeUInt32BE(sequence, 8);
  return packet;
}

/** Whether a datagram is the reply to the request with this sequence number, of whatever status. */
export const isReplyTo = (packet: Buffer, sequence: number): boolean =>
  packet.length >= headerBytes && packet.readUInt8(1) === replyType && packet.readUInt32BE(16) === sequence;

/** Reads a reply, or says what is wrong with it. */
export function parseTracking(packet: Buffer): Tracking | string {
  const version = packet.readUInt8(0);
  if (version !== protocolVersion) return `speaks command protocol version ${version} instead of 6`;
  const status = packet.readUInt16BE(8);
  if (status !== 0) return `refused to report its tracking state (status ${status})`;
  const reply = packet.readUInt16BE(6);
  if (reply !== trackingReply) return `answered with reply ${reply} instead of ${trackingReply} (tracking)`;
  if (packet.length < trackingBytes)
    return `answered with ${packet.length} bytes instead of ${trackingBytes}`;

  return {
    referenceId: packet.readUInt32BE(28),
    // 32 to 51: the source's address.
    stratum: packet.readUInt16BE(52),
    leap: packet.readUInt16BE(54),
    referenceTimeSeconds: packet.readUInt32BE(56) * 2 ** 32 + packet.readUInt32BE(60),
    currentCorrectionSeconds: readFloat(packet, 68),
    rootDelaySeconds: readFloat(packet, 92),
    rootDispersionSeconds: readFloat(packet, 96),
  };
}

/** chrony's own 32-bit float: 7 bits of exponent, 25 bits of coefficient, both signed, no implied bit. */
function readFloat(packet: Buffer, at: number): number {
  const bits = packet.readInt32BE(at);
  const exponent = bits >> 25;
  const coefficient = (bits << 7) >> 7;
  return coefficient * 2 ** (exponent - 25);
}

import { createSocket } from 'node:dgram';

/** Seconds from the NTP epoch, 1900, to the Unix epoch. */
const epochSeconds = 2_208_988_800;

/** Starts an SNTP server (RFC 4330) on 127.0.0.1 that returns this machine's time. */
export async function startSntpServer(): Promise<{ readonly port: number; close(): void }> {
  const socket = createSocket('udp4');
  socket.on('message', (request, { port, address }) => {
    if (request.length < 48) return;
    const received = toTimestamp(Date.now());
    const response = Buffer.alloc(48);
    // No leap second, version 4, server; stratum 1, poll 2^6 s, precision 2^-10 s.
    response.set([0x24, 1, 6, 0xf6]);
    response.writeUInt32BE(0x42, 8);
    response.write('LOCL', 12, 'latin1');
    received.copy(response, 16);
    // The client's transmit timestamp becomes the origin timestamp.
    request.copy(response, 24, 40, 48);
    received.copy(response, 32);
    toTimestamp(Date.now()).copy(response, 40);
    socket.send(response, port, address);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(0, '127.0.0.1', resolve);
  });
  return { port: socket.address().port, close: () => void socket.close() };
}

function toTimestamp(unixMs: number): Buffer {
  const bytes = Buffer.alloc(8);
  const seconds = unixMs / 1000 + epochSeconds;
  bytes.writeUInt32BE(Math.floor(seconds) % 2 ** 32, 0);
  bytes.writeUInt32BE(Math.floor((seconds % 1) * 2 ** 32), 4);
  return bytes;
}

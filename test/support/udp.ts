import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

/** A UDP server on loopback that lives as long as the test. */
export async function udpServer(
  onRequest: (request: Buffer, from: RemoteInfo, socket: Socket) => void,
  { address = '127.0.0.1', port = 0 } = {},
): Promise<Socket> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  onTestFinished(() => void socket.close());
  socket.on('message', (request, from) => onRequest(request, from, socket));
  socket.bind(port, address);
  await once(socket, 'listening');
  return socket;
}

/** A loopback port that refuses datagrams as long as the test runs; nobody else can come to listen there. */
export async function refusingPort(): Promise<number> {
  const socket = await udpServer(() => {});
  const { port } = socket.address();
  // A connected socket is deaf to all but its peer, and the kernel refuses what others send.
  const connected = once(socket, 'connect');
  socket.connect(9, '127.0.0.1');
  await connected;
  return port;
}

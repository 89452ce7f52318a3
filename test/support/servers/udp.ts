import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

/** A UDP server on loopback that is closed when the test finishes. */
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

/** A loopback port that refuses datagrams during the test. It stays bound, so that no other process can use it. */
export async function refusingPort(): Promise<number> {
  const socket = await udpServer(() => {});
  const { port } = socket.address();
  // A connected socket accepts datagrams only from its peer; the kernel refuses all others.
  const connected = once(socket, 'connect');
  socket.connect(9, '127.0.0.1');
  await connected;
  return port;
}

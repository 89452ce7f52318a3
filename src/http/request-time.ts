import type { IncomingMessage, Server } from 'node:http';

type Socket = IncomingMessage['socket'];

/** How long a connection waits for a complete request, in milliseconds. */
export interface RequestTimes {
  /** For its first request. */
  readonly first: number;
  /** For the next one, from the end of the previous response. */
  readonly next: number;
}

const timedOut = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n';

/**
 * Closes connections that do not complete a request in time, however many bytes they send; one that has sent part of a
 * request gets a 408. Node.js's `headersTimeout` and `requestTimeout` do the same, but with a timer that wakes an idle
 * process every few seconds.
 */
export function limitRequestTime(server: Server, { first, next }: RequestTimes): void {
  const timers = new WeakMap<Socket, NodeJS.Timeout>();
  const stop = (socket: Socket) => clearTimeout(timers.get(socket));
  const start = (socket: Socket, milliseconds: number) => {
    if (socket.destroyed) return;
    const { bytesRead } = socket;
    const expire = () => {
      if (socket.bytesRead > bytesRead && socket.writable) socket.write(timedOut);
      socket.destroy();
    };
    timers.set(socket, setTimeout(expire, milliseconds));
  };

  server.on('connection', (socket) => {
    start(socket, first);
    socket.once('close', () => stop(socket));
  });
  server.on('request', ({ socket }, response) => {
    stop(socket);
    response.once('close', () => start(socket, next));
  });
}

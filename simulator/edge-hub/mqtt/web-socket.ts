import { createServer } from 'node:https';
import type { Duplex } from 'node:stream';
import WebSocket from 'ws';
import { listen, portOf } from '../../http.ts';
import type { Issued } from '../../workload/pki.ts';

/** edgeHub's HTTPS port, as far as MQTT over WebSocket is concerned. */
export interface WebSocketListener {
  readonly port: number;
  close(): Promise<void>;
}

export interface WebSocketListenerOptions {
  readonly host: string | undefined;
  /** 0 for any free port. */
  readonly port: number;
  readonly issued: Issued;
  onConnection(stream: Duplex): void;
}

/** Resolves once the port listens. The path is that of MqttWebSocketListener.cs. */
export async function createWebSocketListener(options: WebSocketListenerOptions): Promise<WebSocketListener> {
  const { key, chain } = options.issued;
  const server = createServer({ key, cert: chain }, (_request, response) => {
    response.statusCode = 404;
    response.end();
  });
  const sockets = new WebSocket.Server({
    server,
    path: '/$iothub/websocket',
    handleProtocols: (offered) => offered.includes('mqtt') && 'mqtt',
  });
  sockets.on('connection', (socket: WebSocket) => {
    const stream = WebSocket.createWebSocketStream(socket);
    // The broker sees the end of the stream.
    stream.on('error', () => undefined);
    options.onConnection(stream);
  });
  const host = options.host === undefined ? {} : { host: options.host };
  await listen(server, { port: options.port, ...host });
  return {
    port: portOf(server),
    close: () =>
      new Promise((resolve) => {
        sockets.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The part of `ws` 7 that is used; it has no types of its own. MQTT.js depends on it. */
declare module 'ws' {
  import type { EventEmitter } from 'node:events';
  import type { Server } from 'node:https';
  import type { Duplex } from 'node:stream';

  class WebSocket extends EventEmitter {
    static Server: new (options: {
      readonly server: Server;
      readonly path: string;
      handleProtocols(offered: readonly string[]): string | false;
    }) => EventEmitter & { close(): void };
    static createWebSocketStream(socket: WebSocket): Duplex;
  }
  export = WebSocket;
}

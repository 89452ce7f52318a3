import type { DeviceCertificates } from '../../workload/certificates.ts';
import type { FaultChange, Faults } from '../faults.ts';
import { type Broker, type BrokerEvents, createBroker } from './broker.ts';
import { createListener } from './listener.ts';
import { createWebSocketListener } from './web-socket.ts';

/** edgeHub's MQTT server: a broker behind a TLS port, and the faults of both. */
export interface MqttServer {
  readonly port: number;
  /** The port of MQTT over WebSocket, if there is one. */
  readonly webSocketPort: number | undefined;
  /** Another one after the fault `wipeSessions`. */
  broker(): Broker;
  /** Applies the part of a change that concerns the port, the connections and the sessions. */
  apply(before: Faults, after: Faults, change: FaultChange): Promise<void>;
  close(): Promise<void>;
}

export interface MqttServerOptions {
  readonly certificates: DeviceCertificates;
  /** The address to listen on. Undefined: all addresses. */
  readonly host: string | undefined;
  readonly port: number;
  /** The port of MQTT over WebSocket. Undefined: none, as the faults of the port only concern the other one. */
  readonly webSocketPort: number | undefined;
  readonly events: BrokerEvents;
  log(line: string): void;
}

/** Resolves once the port listens. */
export async function startMqttServer(options: MqttServerOptions): Promise<MqttServer> {
  const { certificates, host, port, events, log } = options;
  let broker = await createBroker(events);
  let gateway = certificates.gateway;
  const listener = await createListener({
    host,
    port,
    issued: gateway.valid,
    onConnection: (socket) => broker.handle(socket),
    onHandshakeError: (error) => log(`TLS handshake failed: ${error.message}`),
  }).catch(async (error: unknown) => {
    await broker.close();
    throw error;
  });

  const { webSocketPort } = options;
  const webSocket =
    webSocketPort === undefined
      ? undefined
      : await createWebSocketListener({
          host,
          port: webSocketPort,
          issued: gateway.valid,
          onConnection: (stream) => broker.handle(stream),
        });

  return {
    port: listener.port,
    webSocketPort: webSocket?.port,
    broker: () => broker,
    async apply(before, after, { dropConnections, wipeSessions, renewCertificate }) {
      if (after.down && !before.down) await listener.close();
      if (!after.down && before.down) await listener.reopen();
      if (renewCertificate) gateway = { ...gateway, valid: await certificates.renewGateway() };
      if (renewCertificate || after.certificate !== before.certificate)
        listener.setCertificate(gateway[after.certificate]);
      if (wipeSessions) {
        const old = broker;
        const recreated = await createBroker(events);
        listener.dropConnections();
        broker = recreated;
        await old.close();
      }
      if (dropConnections || renewCertificate) listener.dropConnections();
    },
    async close() {
      // The broker waits for its clients, whose connections the ports end.
      await Promise.all([listener.close(), webSocket?.close(), broker.close()]);
    },
  };
}

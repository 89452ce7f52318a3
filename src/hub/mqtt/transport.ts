import { EventEmitter } from 'node:events';
import iotDevice, { type MethodMessage } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
import { MqttBase, type MqttBaseTransportConfig } from 'azure-iot-mqtt-base';
import type { Credentials, Methods, OutputMessage, SessionEvents } from '../session.ts';
import { answerMethod } from './methods.ts';
import './number-cache.ts';
import { createTwinClient } from './twin-client.ts';

/** The part of MQTT.js's client that is used. */
interface MqttClient {
  readonly stream: EventEmitter & { destroy(): void };
}

type Provider = ConstructorParameters<typeof Mqtt>[0];
type Done = (error?: Error | null) => void;

// The session loop has the deadlines, 120 s at most; the SDK's own, 30 s, would end a call earlier.
const sdkTimeoutSeconds = 180;

/**
 * The SDK's MQTT transport for one connection. Only what is well-formed reaches the SDK's callbacks, where an exception
 * would end the process.
 */
export function createTransport(
  { gateway, ca, host, device, module, token }: Credentials,
  webSocket: boolean,
  methods: Methods,
  events: SessionEvents,
) {
  const base = new MqttBase();
  base.setTimeout(sdkTimeoutSeconds);
  const twin = createTwinClient(base, events);
  let failure: Error | undefined;

  const stream = () => (base as unknown as { _mqttClient?: MqttClient })._mqttClient?.stream;

  const connectBase = base.connect.bind(base);
  base.connect = (config: MqttBaseTransportConfig, done) => {
    // edgeHub keeps the creation time of subscriptions with a session, and drops what is older: after the clock was set
    // back, a session that is continued receives nothing. All that a session keeps is read or sent again instead.
    const uri = webSocket ? webSocketUri(gateway ?? host) : config.uri;
    try {
      connectBase({ ...config, uri, clean: true }, (error, result) => {
        failure ??= error;
        done(error, result);
      });
    } catch (error) {
      // The SDK calls this in a callback, where the exception would end the process.
      failure = new Error(`Could not connect to ${uri}`, { cause: error });
      done(failure);
    }
    // Over WebSocket, MQTT.js drops TLS errors.
    stream()?.on('error', (error: Error) => {
      failure ??= error;
    });
  };

  const emitBase = base.emit.bind(base);
  base.emit = (event: string | symbol, ...args: unknown[]): boolean => {
    if (event !== 'message') return emitBase(event, ...args);
    const [topic, payload] = args as [string, Buffer];
    if (twin.receive(topic, payload) || !topic.startsWith('$iothub/methods/POST/')) return true;
    try {
      return emitBase(event, ...args);
    } catch (cause) {
      // A topic without a method name, in some notation.
      events.onError(new Error('edgeHub sent a method call that cannot be read', { cause }));
      return true;
    }
  };

  class Transport extends Mqtt {
    override emit(event: string | symbol, ...args: unknown[]): boolean {
      if (typeof event !== 'string' || !event.startsWith('method_')) return super.emit(event, ...args);
      const {
        requestId,
        methods: { methodName },
        body,
      } = args[0] as MethodMessage;
      answerMethod(methods, methodName, body)
        .then(({ status, payload }) =>
          promised((done) => this.sendMethodResponse({ requestId, status, payload } as MethodResponse, done)),
        )
        .catch(events.onError);
      return true;
    }
  }
  const credentials = {
    host,
    gatewayHostName: gateway,
    deviceId: device,
    moduleId: module,
    sharedAccessSignature: token,
  };
  const transport = new Transport(providerOf(credentials), base);
  if (ca !== undefined) transport.setOptions({ ca });
  return {
    twin,
    /** Subscribes to direct methods, if there are any. */
    async connect(): Promise<void> {
      await promised((done) => transport.connect(done));
      // The SDK's error for a connection that was simply closed says no more.
      transport.on('disconnect', (error?: Error) =>
        events.onEnd(
          error?.message.startsWith('Connection to the server has been closed') ? undefined : error,
        ),
      );
      if (Object.keys(methods).length > 0) await promised((done) => transport.enableMethods(done));
    },
    send({ output, body, properties }: OutputMessage): Promise<void> {
      const message = new iotDevice.Message(JSON.stringify(body));
      message.contentType = 'application/json';
      message.contentEncoding = 'utf-8';
      for (const [key, value] of Object.entries(properties)) message.properties.add(key, value);
      return promised((done) => transport.sendOutputEvent(output, message, done));
    },
    disconnect(): Promise<void> {
      transport.removeAllListeners('disconnect');
      return promised((done) => transport.disconnect(done));
    },
    /** Destroys the connection; the SDK would wait for edgeHub to close it. */
    cut: () => stream()?.destroy(),
    /** The error of the connection; the SDK calls every failed first connection unauthorized, without its code. */
    failure: () => failure,
  };
}

type MethodResponse = Parameters<Mqtt['sendMethodResponse']>[0];

const ownPort = /:(\d+)$/;

/** The ports of edgeHub's listeners. A port in the gateway's name is used for both. */
export function portsOf(gateway: string): { readonly mqtt: number; readonly webSocket: number } {
  const own = ownPort.exec(gateway)?.[1];
  return { mqtt: Number(own ?? 8883), webSocket: Number(own ?? 443) };
}

/** edgeHub has MQTT over WebSocket at this path (MqttWebSocketListener). */
const webSocketUri = (gateway: string): string =>
  `wss://${gateway.replace(ownPort, '')}:${portsOf(gateway).webSocket}/$iothub/websocket`;

/** Gives the SDK a token that never changes: a session is replaced before its token expires. */
function providerOf(credentials: object): Provider {
  const provider = {
    type: 1,
    getDeviceCredentials: (done: (error: null, credentials: object) => void) => done(null, credentials),
    updateSharedAccessSignature: () => {},
    stop: () => {},
  };
  return Object.assign(new EventEmitter(), provider) as unknown as Provider;
}

const promised = (work: (done: Done) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    work((error) => (error ? reject(error) : resolve()));
  });

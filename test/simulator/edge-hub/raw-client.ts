import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { MqttBase } from 'azure-iot-mqtt-base';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import type { Simulator } from '../../../simulator/index.ts';

interface RawOptions {
  readonly clean?: boolean;
  /** How long the token is valid. */
  readonly tokenSeconds?: number;
}

/** The SDK's MQTT client without its twin, which ends the process on malformed answers. Subscribed to twin answers. */
export async function rawClient(
  simulator: Pick<Simulator, 'environment' | 'rootCertificate'>,
  { clean = false, tokenSeconds = 3600 }: RawOptions = {},
) {
  const { IOTEDGE_IOTHUBHOSTNAME: hub, IOTEDGE_GATEWAYHOSTNAME: gateway } = simulator.environment;
  const { IOTEDGE_DEVICEID: device, IOTEDGE_MODULEID: module } = simulator.environment;
  const expiry = Math.floor(Date.now() / 1000) + tokenSeconds;
  const audience = encodeURIComponent(`${hub}/devices/${device}/modules/${module}`);
  const signature = await sign(simulator, `${audience}\n${expiry}`);
  const mqtt = new MqttBase();
  mqtt.setOptions({ ca: simulator.rootCertificate });
  const received: { readonly topic: string; readonly payload: string }[] = [];
  mqtt.on('message', (topic: string, payload: Buffer) => {
    received.push({ topic, payload: payload.toString() });
  });
  const closed = new Promise<void>((resolve) => mqtt.once('error', () => resolve()));
  const subscribe = promisify(mqtt.subscribe.bind(mqtt));
  const publish = promisify(mqtt.publish.bind(mqtt));

  await promisify(mqtt.connect.bind(mqtt))({
    uri: `mqtts://${gateway}`,
    clientId: `${device}/${module}`,
    username: `${hub}/${device}/${module}/?api-version=2021-04-12`,
    sharedAccessSignature: `SharedAccessSignature sr=${audience}&sig=${encodeURIComponent(signature)}&se=${expiry}`,
    clean,
  });
  onTestFinished(() => mqtt.disconnect(() => undefined));
  await subscribe('$iothub/twin/res/#', { qos: 0 });
  return {
    received,
    /** Resolves when edgeHub closes the connection. */
    closed,
    subscribe: (filter: string) => subscribe(filter, { qos: 0 }),
    /** With QoS 1, resolves once edgeHub acknowledges. */
    publish: (topic: string, payload: string, qos: 0 | 1 = 0) => publish(topic, payload, { qos }),
    readTwin: (requestId: string) => publish(`$iothub/twin/GET/?$rid=${requestId}`, ' ', { qos: 0 }),
    report: (requestId: string, payload: string) =>
      publish(`$iothub/twin/PATCH/properties/reported/?$rid=${requestId}`, payload, { qos: 0 }),
    events: `devices/${device}/modules/${module}/messages/events/`,
  };
}

/** Signs with the module's key, by the workload API. */
async function sign({ environment }: Pick<Simulator, 'environment'>, data: string): Promise<string> {
  const { IOTEDGE_WORKLOADURI = '', IOTEDGE_MODULEID, IOTEDGE_MODULEGENERATIONID } = environment;
  const answer = await new Promise((resolve, reject) => {
    const sent = request({
      socketPath: IOTEDGE_WORKLOADURI.replace('unix://', ''),
      method: 'POST',
      path: `/modules/${IOTEDGE_MODULEID}/genid/${IOTEDGE_MODULEGENERATIONID}/sign?api-version=2018-06-28`,
      headers: { 'content-type': 'application/json' },
    });
    sent.on('response', (response) => json(response).then(resolve, reject));
    sent.on('error', reject);
    sent.end(
      JSON.stringify({ keyId: 'primary', algo: 'HMACSHA256', data: Buffer.from(data).toString('base64') }),
    );
  });
  return z.object({ digest: z.string() }).parse(answer).digest;
}

import { createRequire } from 'node:module';
import mqttPacket from 'mqtt-packet';
import { expect, test } from 'vitest';
import '../../../src/hub/mqtt/number-cache.ts';

const require = createRequire(import.meta.url);

test('a packet does not fill the cache of 65,536 numbers, in the version that the SDK uses', () => {
  const ofSdk = createRequire(require.resolve('azure-iot-mqtt-base'));
  const ofMqtt = createRequire(ofSdk.resolve('mqtt'));
  expect(ofMqtt.resolve('mqtt-packet')).toBe(require.resolve('mqtt-packet'));

  mqttPacket.generate({ cmd: 'puback', messageId: 258 });
  const { cache } = require('mqtt-packet/numbers.js');
  expect(Object.keys(cache)).toEqual([]);
  mqttPacket.writeToStream.cacheNumbers = true;
  mqttPacket.generate({ cmd: 'puback', messageId: 258 });
  expect(Object.keys(cache)).toHaveLength(65_536);
});

import iotDevice from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';

/** The SDK's module client, created by `fromEnvironment` with these variables. Not opened yet. */
export async function moduleClient(environment: Readonly<Record<string, string>>) {
  const previous = new Map(Object.keys(environment).map((name) => [name, process.env[name]]));
  Object.assign(process.env, environment);
  try {
    return await iotDevice.ModuleClient.fromEnvironment(Mqtt);
  } finally {
    for (const [name, value] of previous) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

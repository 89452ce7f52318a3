import iotDevice from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';

/** The real SDK's client for a module, as `fromEnvironment` makes it of these variables. Not opened yet. */
export async function moduleClient(environment: Readonly<Record<string, string>>) {
  const before = new Map(Object.keys(environment).map((name) => [name, process.env[name]]));
  Object.assign(process.env, environment);
  try {
    return await iotDevice.ModuleClient.fromEnvironment(Mqtt);
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

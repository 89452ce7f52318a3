import iotDevice from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
import { expect } from 'vitest';
import { type SimulatorOptions, startSimulator } from '../../../simulator/index.ts';

/** A simulator on free ports, with its admin API and SDK clients. `close` closes all of them. */
export async function simulated(options: SimulatorOptions = {}) {
  const lines: string[] = [];
  const log = (line: string) => {
    lines.push(line);
  };
  const simulator = await startSimulator({ hubPort: 0, adminPort: 0, metricsPort: 0, ...options, log });
  const clients: Awaited<ReturnType<typeof moduleClient>>[] = [];

  return {
    ...simulator,
    /** The simulator's log. */
    lines,
    /** A new SDK client. Not opened yet. */
    async client() {
      const client = await moduleClient(simulator.environment);
      // Without a listener a lost connection would be an uncaught exception.
      client.on('error', () => undefined);
      clients.push(client);
      return client;
    },
    async admin(method: string, path: string, body?: unknown) {
      const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
      const response = await fetch(simulator.adminUrl + path, { method, ...(text ? { body: text } : {}) });
      return { status: response.status, body: await response.json() };
    },
    async close() {
      // Closing a client without a connection may fail, which is irrelevant here.
      await Promise.all(clients.map((client) => client.close().catch(() => undefined)));
      await simulator.close();
    },
  };
}

/** The result of `work`, or `no answer` after `ms` milliseconds. */
export const answerWithin = <T>(ms: number, work: Promise<T>): Promise<T | 'no answer'> =>
  Promise.race([
    work,
    new Promise<'no answer'>((resolve) => {
      setTimeout(resolve, ms, 'no answer');
    }),
  ]);

/** Polls a value until the expectation holds, with a timeout for the SDK and the network. */
export const eventually = <T>(read: () => T | Promise<T>) => expect.poll(read, { timeout: 10_000 });

/** The SDK's module client, created by `fromEnvironment` with these variables. Not opened yet. */
async function moduleClient(environment: Readonly<Record<string, string>>) {
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

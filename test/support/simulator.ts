import { expect } from 'vitest';
import { type SimulatorOptions, startSimulator } from '../../simulator/index.ts';
import { moduleClient } from './module-client.ts';

/** A simulator on free ports, its admin HTTP, and clients of it; `close` ends them all. */
export async function simulated(options: SimulatorOptions = {}) {
  const lines: string[] = [];
  const log = (line: string) => {
    lines.push(line);
  };
  const simulator = await startSimulator({ hubPort: 0, adminPort: 0, metricsPort: 0, ...options, log });
  const clients: Awaited<ReturnType<typeof moduleClient>>[] = [];

  return {
    ...simulator,
    /** What the simulator had to say. */
    lines,
    /** A new client of the real SDK, not opened yet. */
    async client() {
      const client = await moduleClient(simulator.environment);
      // Without a listener the SDK's loss of a connection would be an uncaught exception.
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
      // A client that lost its connection can say so when it is closed, which is no matter here.
      await Promise.all(clients.map((client) => client.close().catch(() => undefined)));
      await simulator.close();
    },
  };
}

/** What an answer is, or `no answer` after so many milliseconds. */
export const answerWithin = <T>(ms: number, work: Promise<T>): Promise<T | 'no answer'> =>
  Promise.race([
    work,
    new Promise<'no answer'>((resolve) => {
      setTimeout(resolve, ms, 'no answer');
    }),
  ]);

/** Expects something that takes the SDK or the network a moment. */
export const eventually = <T>(look: () => T | Promise<T>) => expect.poll(look, { timeout: 10_000 });

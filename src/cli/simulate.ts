import { once } from 'node:events';
import { parsePort } from '../endpoint.ts';

export interface SimulateOptions {
  readonly port: string;
  readonly adminPort: string;
  readonly metricsPort: string;
}

/**
 * `simulate`: a local IoT Edge for a module under development, until SIGINT, SIGTERM or SIGHUP, or until its output has no
 * reader.
 */
export async function simulate(options: SimulateOptions, print: (text: string) => void): Promise<void> {
  const { startSimulator } = await import('../../simulator/index.ts').catch((cause: unknown) => {
    throw new Error('The image does not contain the simulator', { cause });
  });
  const simulator = await startSimulator({
    hubPort: portFrom('--port', options.port),
    adminPort: portFrom('--admin-port', options.adminPort),
    metricsPort: portFrom('--metrics-port', options.metricsPort),
    log: (line) => void process.stderr.write(`${line}\n`),
  });
  for (const [name, value] of Object.entries(simulator.environment)) print(`export ${name}='${value}'\n`);
  print(`# Admin API, see GET /: ${simulator.adminUrl}\n`);
  print(`# Metrics: ${simulator.edgeAgentMetricsUrl} ${simulator.edgeHubMetricsUrl}\n`);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((name) => once(process, name));
  await Promise.race([...signals, once(process.stdout, 'error')]);
  await simulator.close();
}

function portFrom(option: string, value: string): number {
  const port = parsePort(value);
  if (port !== undefined) return port;
  throw new Error(`${option} must be a port from 0 to 65535, got "${value}"`);
}

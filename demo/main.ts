import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { samples } from 'samples';
import { type Simulator, startSimulator } from '../simulator/index.ts';
import { describeError } from '../src/errors.ts';
import { createWorld, type DemonstrationWorld } from './world.ts';

// `npm start`: the simulator with the bundled agent as its module, and a policy that works on any machine, offline too.

async function main(): Promise<number> {
  const stopping = stoppedBySignal();
  const page = port('HARDENING_PORT');
  const ports = {
    hubPort: port('SIMULATOR_PORT'),
    adminPort: port('SIMULATOR_ADMIN_PORT'),
    metricsPort: port('SIMULATOR_METRICS_PORT'),
  };
  const { world, close, ...places } = await createWorld();
  let simulator: Simulator | undefined;
  try {
    // Before the addresses are printed.
    await requireFree(page).catch(throwNamingVariable);
    simulator = await startSimulator(ports).catch(throwNamingVariable);
    await patchDesired(simulator, { policy: policyFor({ ...world, hubPort: simulator.hubPort }) });
    if (stopping.aborted) return 0;
    const agent = startAgent(simulator, places);
    // On Ctrl-C the terminal signals the agent too; the agent ignores the second signal.
    stopping.addEventListener('abort', () => agent.kill('SIGTERM'));
    const ended = new Promise<number>((resolve) => agent.once('exit', (code) => resolve(code ?? 1)));
    agent.once('spawn', () => printAddresses(simulator, page));
    return await ended;
  } finally {
    await simulator?.close();
    await close();
  }
}

/** Fires at Ctrl-C, at SIGTERM, and when the terminal or npm goes. */
function stoppedBySignal(): AbortSignal {
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => stopping.abort());
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => stopping.abort());
  // npm does not pass every signal on before it goes.
  const npm = process.env.npm_lifecycle_event === 'start' ? process.ppid : undefined;
  if (npm !== undefined) setInterval(() => process.ppid !== npm && stopping.abort(), 500).unref();
  return stopping.signal;
}

/** The variables of the ports, with their defaults. */
const defaultPorts = {
  HARDENING_PORT: 9600,
  SIMULATOR_PORT: 18_883,
  SIMULATOR_ADMIN_PORT: 9601,
  SIMULATOR_METRICS_PORT: 9602,
};
type PortVariable = keyof typeof defaultPorts;

/** The policy of the demonstration. The part of each check comes from its sample. */
const policyFor = (world: DemonstrationWorld): object => ({
  note: 'This is the demonstration policy: it points at the local simulator and at this machine.',
  schedule: '* * * * *',
  jitterSeconds: 0,
  confirmAfterSeconds: 5,
  report: { minIntervalSeconds: 5 },
  checks: Object.fromEntries(
    samples.flatMap(({ check, demonstration }) =>
      demonstration ? [[check, demonstration.policy(world)] as const] : [],
    ),
  ),
});

/** Reads a port from the environment; 0 takes any free one. */
function port(name: PortVariable): number {
  const value = process.env[name] || String(defaultPorts[name]);
  if (/^\d{1,5}$/.test(value) && Number(value) <= 65_535) return Number(value);
  throw new Error(`${name} must be a port from 0 to 65535, got "${value}"`);
}

/** Throws an error with the variable that selects another port, if a port is what is wrong. */
function throwNamingVariable(error: unknown): never {
  const { code, port: taken } = causesOf(error).find((each) => each.port !== undefined) ?? {};
  const variables = Object.keys(defaultPorts) as PortVariable[];
  const variable = variables.find((name) => port(name) === taken);
  if (code !== 'EADDRINUSE' || variable === undefined) throw error;
  // Without the cause, which says the same.
  throw new Error(`Port ${taken} is in use. Select another with ${variable}; 0 takes any free one`);
}

/** Rejects when the agent could not listen on a port. */
async function requireFree(taken: number): Promise<void> {
  const server = createServer().listen(taken, process.env.HARDENING_ADDRESS || '0.0.0.0');
  await once(server, 'listening');
  await new Promise((resolve) => server.close(resolve));
}

function causesOf(
  error: unknown,
): { readonly code?: string; readonly port?: number; readonly cause?: unknown }[] {
  return error instanceof Error ? [error, ...causesOf(error.cause)] : [];
}

async function patchDesired({ adminUrl }: Simulator, patch: object): Promise<void> {
  const answer = await fetch(`${adminUrl}/twin/desired`, { method: 'PATCH', body: JSON.stringify(patch) });
  if (!answer.ok) throw new Error(`The simulator answered ${answer.status}: ${await answer.text()}`);
}

function startAgent(
  { environment }: Simulator,
  { stateDir, engineSocket }: { readonly stateDir: string; readonly engineSocket: string },
): ChildProcess {
  const main = join(dirname(fileURLToPath(import.meta.url)), 'main.js');
  return spawn(process.execPath, [...__IMAGE__.flags, main], {
    stdio: 'inherit',
    env: {
      ...__IMAGE__.environment,
      HARDENING_STATE_DIR: stateDir,
      HARDENING_HOST_ROOT: '/',
      HARDENING_DOCKER_SOCKET: engineSocket,
      ...process.env,
      ...environment,
    },
  });
}

function printAddresses(simulator: Simulator | undefined, page: number): void {
  process.stdout.write(`
  Status page        http://localhost:${page}/
  Metrics            http://localhost:${page}/metrics
  Report             http://localhost:${page}/api/report
  Simulator, twin    ${simulator?.adminUrl}/twin

  Change the policy  curl -X PATCH ${simulator?.adminUrl}/twin/desired -d '{"policy":{"checks":{"diskSpace":{"warnUsedPercent":0}}}}'
  Stop               Ctrl-C

`);
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${describeError(error)}\n`);
  return 1;
});

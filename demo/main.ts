import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { samples } from 'samples';
import { type Simulator, startSimulator } from '../simulator/index.ts';
import { createWorld, type DemonstrationWorld } from './world.ts';

// `npm start`: the simulator with the bundled agent as its module, and a policy that works on any machine, offline too.

/** The Node.js flags of the image's ENTRYPOINT, inserted by scripts/build.mjs. */
declare const __NODE_FLAGS__: readonly string[];

const page = process.env.HARDENING_PORT || '9600';

async function main(): Promise<number> {
  const ports = {
    hubPort: port('SIMULATOR_PORT', 18_883),
    adminPort: port('SIMULATOR_ADMIN_PORT', 9601),
    metricsPort: port('SIMULATOR_METRICS_PORT', 9602),
  };
  const { world, stateDir, close } = await createWorld();
  let simulator: Simulator | undefined;
  try {
    simulator = await startSimulator(ports);
    await patchDesired(simulator, { policy: policyFor({ ...world, hubPort: simulator.hubPort }) });
    const agent = startAgent(simulator, stateDir);
    agent.once('spawn', () => printAddresses(simulator));
    // On Ctrl-C the terminal signals the agent too; the agent ignores the second signal.
    process.on('SIGINT', () => agent.kill('SIGTERM'));
    process.on('SIGTERM', () => agent.kill('SIGTERM'));
    return await new Promise((resolve) => agent.once('exit', (code) => resolve(code ?? 1)));
  } finally {
    await simulator?.close();
    await close();
  }
}

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
function port(name: string, fallback: number): number {
  const value = process.env[name] || String(fallback);
  if (/^\d{1,5}$/.test(value) && Number(value) <= 65_535) return Number(value);
  throw new Error(`${name} must be a port from 0 to 65535, got "${value}"`);
}

async function patchDesired({ adminUrl }: Simulator, patch: object): Promise<void> {
  const answer = await fetch(`${adminUrl}/twin/desired`, { method: 'PATCH', body: JSON.stringify(patch) });
  if (!answer.ok) throw new Error(`The simulator answered ${answer.status}: ${await answer.text()}`);
}

function startAgent({ environment }: Simulator, stateDir: string): ChildProcess {
  const main = join(dirname(fileURLToPath(import.meta.url)), 'main.js');
  return spawn(process.execPath, [...__NODE_FLAGS__, main], {
    stdio: 'inherit',
    env: {
      HARDENING_STATE_DIR: stateDir,
      HARDENING_HOST_ROOT: '/',
      ...process.env,
      ...environment,
    },
  });
}

function printAddresses(simulator: Simulator | undefined): void {
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
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
});

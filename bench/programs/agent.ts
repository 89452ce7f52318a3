import { mkdtemp, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { type Simulator, startSimulator } from '../../simulator/index.ts';
import type { Testbed } from '../testbed.ts';
import { send } from './http.ts';
import { imageFilesIn } from './image-files.ts';
import { freePort, type Program, start } from './program.ts';

// bench.js is bundled into the same folder.
const bundle = dirname(fileURLToPath(import.meta.url));
const agentFile = join(bundle, 'main.js');
/** The files that the image adds to Node.js's: its bundles and their licences. */
export const imageFiles = imageFilesIn(bundle).map((file) => join(bundle, file));

const responseSchema = z.object({
  status: z.literal(200),
  payload: z.object({
    checks: z.record(z.string(), z.object({ status: z.string(), findings: z.array(z.unknown()) })),
  }),
});
type Checks = z.infer<typeof responseSchema>['payload']['checks'];

/** The agent running as a module of the simulator. */
export interface ModuleProgram extends Program {
  /** Seconds from its start to the first acknowledged report. */
  readonly firstReportSeconds: number;
  /** Runs the given checks by direct method; without ids, all checks. */
  runChecks(...ids: readonly string[]): Promise<Checks>;
}

/** Starts the agent without a hub and with a policy file. Resolves once every check has run. */
export async function startStandalone(testbed: Testbed, policy: object): Promise<Program> {
  const folder = await mkdtemp(join(testbed.folder, 'standalone-'));
  const policyFile = join(folder, 'policy.json');
  await writeFile(policyFile, JSON.stringify(policy));
  return startAgent(testbed, folder, { HARDENING_POLICY_FILE: policyFile });
}

/** Starts the agent as a module with a policy in its twin. Resolves once every check has run. */
export async function startModule(testbed: Testbed, policy: object): Promise<ModuleProgram> {
  const folder = await mkdtemp(join(testbed.folder, 'module-'));
  const simulator = await startSimulator({
    hubPort: 0,
    adminPort: 0,
    metricsPort: 0,
    directory: join(folder, 'edge'),
    desired: JSON.parse(JSON.stringify({ policy })),
  });
  const started = performance.now();
  const [program, firstReportSeconds] = await Promise.all([
    startAgent(testbed, folder, simulator.environment),
    reported(simulator).then(() => (performance.now() - started) / 1000),
  ]).catch(async (error: unknown) => {
    await simulator.close();
    throw error;
  });
  const stop = async () => {
    await program.stop();
    await simulator.close();
  };
  testbed.defer(stop);
  const runChecks = async (...ids: readonly string[]) => {
    const body = JSON.stringify(ids.length > 0 ? { checks: ids } : {});
    const response = await send(`${simulator.adminUrl}/methods/runChecks`, { method: 'POST', body });
    return responseSchema.parse(JSON.parse(response.body)).payload.checks;
  };
  return { ...program, firstReportSeconds, stop, runChecks };
}

const pollMs = 2;
const reportTimeoutMs = 20_000;

/** Resolves once edgeHub has acknowledged reported properties. */
async function reported({ edgeHub }: Simulator): Promise<void> {
  const end = performance.now() + reportTimeoutMs;
  while (edgeHub.counters().reportedUpdates === 0) {
    if (performance.now() > end) throw new Error(`The agent reported nothing within ${reportTimeoutMs} ms`);
    await setTimeout(pollMs);
  }
}

async function startAgent(
  { authorityFile, defer }: Testbed,
  folder: string,
  environment: Readonly<Record<string, string>>,
): Promise<Program> {
  const port = await freePort();
  return start(
    [process.execPath, ...__IMAGE__.flags, agentFile],
    {
      ...__IMAGE__.environment,
      HARDENING_ADDRESS: '127.0.0.1',
      HARDENING_PORT: String(port),
      HARDENING_STATE_DIR: folder,
      HARDENING_HOST_ROOT: '/',
      HARDENING_DOCKER_SOCKET: join(folder, 'no-engine.sock'),
      EdgeModuleCACertificateFile: authorityFile,
      ...environment,
    },
    { port, path: '/readyz', defer },
  );
}

import { mkdtemp, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { startSimulator } from '../simulator/index.ts';
import { get } from './http.ts';
import { freePort, type Program, start } from './program.ts';
import type { World } from './world.ts';

// This file is bundled next to them.
const bundle = dirname(fileURLToPath(import.meta.url));
const agentFile = join(bundle, 'main.js');
/** The bundles that the image contains for the agent. */
export const agentFiles = [agentFile, join(bundle, 'statfs.js')];

const answerSchema = z.object({
  status: z.literal(200),
  payload: z.object({
    checks: z.record(z.string(), z.object({ status: z.string(), findings: z.array(z.unknown()) })),
  }),
});
type Checks = z.infer<typeof answerSchema>['payload']['checks'];

/** The agent as a module of the simulator. */
export interface Module extends Program {
  /** Runs these checks, or all, by direct method. */
  runChecks(...ids: readonly string[]): Promise<Checks>;
}

/** Starts the agent without a hub, by a policy file, until every check has run. */
export async function startAlone(world: World, policy: object): Promise<Program> {
  const folder = await mkdtemp(join(world.folder, 'alone-'));
  const policyFile = join(folder, 'policy.json');
  await writeFile(policyFile, JSON.stringify(policy));
  return startAgent(world, folder, { HARDENING_POLICY_FILE: policyFile });
}

/** Starts the agent as a module, by a policy in its twin, until every check has run. */
export async function startModule(world: World, policy: object): Promise<Module> {
  const folder = await mkdtemp(join(world.folder, 'module-'));
  const simulator = await startSimulator({
    hubPort: 0,
    adminPort: 0,
    metricsPort: 0,
    directory: join(folder, 'edge'),
    desired: JSON.parse(JSON.stringify({ policy })),
  });
  const program = await startAgent(world, folder, simulator.environment).catch(async (error: unknown) => {
    await simulator.close();
    throw error;
  });
  const end = async () => {
    await program.end();
    await simulator.close();
  };
  world.defer(end);
  const runChecks = async (...ids: readonly string[]) => {
    const body = JSON.stringify(ids.length > 0 ? { checks: ids } : {});
    const answer = await get(`${simulator.adminUrl}/methods/runChecks`, { method: 'POST', body });
    return answerSchema.parse(JSON.parse(answer.body)).payload.checks;
  };
  return { ...program, end, runChecks };
}

async function startAgent(
  { authorityFile, defer }: World,
  folder: string,
  environment: Readonly<Record<string, string>>,
): Promise<Program> {
  const port = await freePort();
  return start(
    [process.execPath, agentFile],
    {
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

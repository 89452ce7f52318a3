import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Simulator, startSimulator } from './index.ts';
import { startSntpServer } from './sntp-server.ts';
import { createRoot } from './workload/pki.ts';

// `npm start`: the simulator and the bundled agent as its module, with a policy that points at things which really
// exist on any machine, offline too.

const dayMs = 86_400_000;
const page = process.env.HARDENING_PORT || '9600';

async function main(): Promise<number> {
  const ports = {
    hubPort: port('SIMULATOR_PORT', 18_883),
    adminPort: port('SIMULATOR_ADMIN_PORT', 9601),
    metricsPort: port('SIMULATOR_METRICS_PORT', 9602),
  };
  const folder = await mkdtemp(join(tmpdir(), 'eflow-hardening-demo-'));
  const sntp = await startSntpServer();
  let simulator: Simulator | undefined;
  try {
    simulator = await startSimulator(ports);
    await patchDesired(simulator, {
      policy: await demonstrationPolicy(folder, sntp.port, simulator.hubPort),
    });
    const agent = startAgent(simulator, folder);
    agent.once('spawn', () => tell(simulator));
    // Ctrl-C on a terminal reaches the agent by itself as well, which takes the two for one.
    process.on('SIGINT', () => agent.kill('SIGTERM'));
    process.on('SIGTERM', () => agent.kill('SIGTERM'));
    return await new Promise((resolve) => agent.once('exit', (code) => resolve(code ?? 1)));
  } finally {
    await simulator?.close();
    sntp.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function demonstrationPolicy(folder: string, sntpPort: number, hubPort: number): Promise<object> {
  const certificate = join(folder, 'expires-in-twelve-days.pem');
  const { certificate: pem } = await createRoot({
    commonName: 'demonstration.local',
    notBefore: new Date(Date.now() - 353 * dayMs),
    // An hour more, so that the page says twelve.
    notAfter: new Date(Date.now() + 12 * dayMs + 3_600_000),
  });
  await writeFile(certificate, pem);
  const closed = `tcp://127.0.0.1:${await closedPort()}`;
  return {
    note: 'This is the demonstration policy: it points at the local simulator and at this machine.',
    schedule: '* * * * *',
    jitterSeconds: 0,
    confirmAfterSeconds: 5,
    report: { minIntervalSeconds: 5 },
    checks: {
      clockDrift: { servers: [`127.0.0.1:${sntpPort}`], chrony: false },
      certificateExpiry: { files: [certificate], endpoints: ['edgehub'] },
      certificateChain: { files: [certificate], endpoints: ['edgehub'] },
      diskSpace: { paths: ['/'], minSizeGiB: 1 },
      outboundReachability: { targets: [`tls://localhost:${hubPort}`, closed] },
      outboundContainment: { targets: [closed] },
      dnsResolution: { names: ['localhost'] },
    },
  };
}

/** A port on which nothing listens: one the system has just given out and taken back. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

/** A port from the environment; 0 takes any free one. */
function port(name: string, usual: number): number {
  const value = process.env[name] || String(usual);
  if (/^\d{1,5}$/.test(value) && Number(value) <= 65_535) return Number(value);
  throw new Error(`${name} must be a port from 0 to 65535, got "${value}"`);
}

async function patchDesired({ adminUrl }: Simulator, patch: object): Promise<void> {
  const answer = await fetch(`${adminUrl}/twin/desired`, { method: 'PATCH', body: JSON.stringify(patch) });
  if (!answer.ok) throw new Error(`The simulator answered ${answer.status}: ${await answer.text()}`);
}

function startAgent({ environment }: Simulator, folder: string): ChildProcess {
  const main = join(dirname(fileURLToPath(import.meta.url)), 'main.js');
  return spawn(process.execPath, [main], {
    stdio: 'inherit',
    env: {
      HARDENING_STATE_DIR: join(folder, 'state'),
      HARDENING_HOST_ROOT: '/',
      ...process.env,
      ...environment,
    },
  });
}

function tell(simulator: Simulator | undefined): void {
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

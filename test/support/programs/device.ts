import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { z } from 'zod';
import type { SimulatorOptions } from '../../../simulator/index.ts';
import { startSntpServer } from '../../../simulator/sntp-server.ts';
import { createRoot } from '../../../simulator/workload/pki.ts';
import { allOff } from '../fixtures/policies.ts';
import { simulated } from '../servers/simulator.ts';
import { refusedPort } from '../servers/tcp.ts';
import { tempFolder } from '../temp-folder.ts';
import { bundled, type Running, run } from './bundle.ts';
import { node } from './node.ts';

const dayMs = 86_400_000;

const twin = z.object({
  reported: z.looseObject({
    policy: z.looseObject({ value: z.unknown(), ad: z.string() }).optional(),
    summary: z.unknown(),
    checks: z.record(z.string(), z.unknown()).optional(),
  }),
});

/** Polls a value until the expectation holds, with a timeout for whole programs. */
export const soon = <T>(read: () => T | Promise<T>) => expect.poll(read, { timeout: 15_000, interval: 50 });

/** The bundled agent, listening on a free port of 127.0.0.1. */
export interface RunningAgent extends Running {
  readonly url: string;
  /** GETs a path; does not throw for an error status. */
  get(path: string): Promise<{ readonly status: number; readonly body: string }>;
  /** Kills the agent. */
  kill(): Promise<unknown>;
  /** Stops the agent with SIGTERM, as edgeAgent does; `ms` is the time until it exited. */
  stop(): Promise<{ readonly code: number | null; readonly ms: number }>;
}

/** Starts the bundled agent and waits until it listens. `wrapper` is a command to run it under. */
export async function startAgent(
  environment: Readonly<Record<string, string>>,
  wrapper: readonly string[] = [],
): Promise<RunningAgent> {
  const running = run(
    [...wrapper, ...node, bundled('main')],
    { HARDENING_ADDRESS: '127.0.0.1', HARDENING_PORT: '0', HARDENING_HOST_ROOT: '/', ...environment },
    { detached: true },
  );
  const { child, out, err, ended } = running;
  let exited = false;
  void ended.then(() => {
    exited = true;
  });
  // Signals the whole process group, so that it reaches the agent under a wrapper too.
  const signal = (name: NodeJS.Signals) => exited || process.kill(-(child.pid ?? 0), name);
  onTestFinished(async () => {
    signal('SIGKILL');
    await ended;
  });
  const port = () => / port=(\d+)/.exec(out())?.[1] ?? (exited ? `exited: ${out()}${err()}` : undefined);
  await soon(port).toMatch(/^\d+$/);
  const url = `http://127.0.0.1:${port()}`;
  return {
    ...running,
    url,
    async get(path) {
      const response = await fetch(url + path);
      return { status: response.status, body: await response.text() };
    },
    kill() {
      signal('SIGKILL');
      return ended;
    },
    async stop() {
      const before = performance.now();
      signal('SIGTERM');
      return { code: await ended, ms: performance.now() - before };
    },
  };
}

/** Writes a certificate that expires in twelve days to the folder and returns its path. */
export async function expiringCertificate(folder: string): Promise<string> {
  const path = join(folder, 'certificate.pem');
  const { certificate } = await createRoot({
    commonName: 'device',
    notBefore: new Date(Date.now() - 353 * dayMs),
    notAfter: new Date(Date.now() + 12.5 * dayMs),
  });
  await writeFile(path, certificate);
  return path;
}

/**
 * A device for the agent: a simulated IoT Edge, a time server, a certificate that expires in twelve days, a port
 * without a listener, and a policy in the twin that points at them. Its schedule is yearly, so checks run only at the
 * start and after a policy change.
 */
export async function createDevice(options: SimulatorOptions = {}) {
  const folder = await tempFolder();
  const state = join(folder, 'state');
  await mkdir(state);
  const simulator = await simulated(options);
  onTestFinished(simulator.close);
  const time = await startSntpServer();
  onTestFinished(time.close);

  const certificate = await expiringCertificate(folder);

  const closed = { chrony: await refusedPort(), tcp: await refusedPort() };
  const policy = {
    schedule: '0 0 1 1 *',
    jitterSeconds: 0,
    confirmAfterSeconds: 0,
    report: { minIntervalSeconds: 1 },
    checks: {
      ...allOff,
      clockDrift: { servers: [`127.0.0.1:${time.port}`], chrony: `127.0.0.1:${closed.chrony}` },
      certificateExpiry: { files: [certificate], endpoints: ['edgehub'] },
      diskSpace: { paths: ['/'], warnUsedPercent: 100, failUsedPercent: 100, minSizeGiB: 0 },
      outboundReachability: {
        targets: [`tls://localhost:${simulator.hubPort}`, `tcp://127.0.0.1:${closed.tcp}`],
      },
    },
  };

  // Used without a policy in the twin, because the built-in policy would contact hosts outside this machine.
  const policyFile = join(folder, 'fallback.json');
  await writeFile(policyFile, JSON.stringify({ note: 'fallback', checks: allOff }));

  const desire = async (patch: object): Promise<number> => {
    const { status, body } = await simulator.admin('PATCH', '/twin/desired', patch);
    expect(status).toBe(200);
    return z.object({ $version: z.number() }).parse(body).$version;
  };
  await desire({ policy });

  return {
    folder,
    state,
    closed,
    simulator,
    /** Patches the twin's desired properties and returns their new version. */
    desire,
    /** The twin's reported properties. */
    reported: async () => twin.parse((await simulator.admin('GET', '/twin')).body).reported,
    start: (environment: Readonly<Record<string, string>> = {}, wrapper: readonly string[] = []) =>
      startAgent(
        {
          ...simulator.environment,
          HARDENING_STATE_DIR: state,
          HARDENING_POLICY_FILE: policyFile,
          ...environment,
        },
        wrapper,
      ),
  };
}

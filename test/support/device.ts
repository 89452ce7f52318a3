import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { z } from 'zod';
import { startSntpServer } from '../../simulator/sntp-server.ts';
import { createRoot } from '../../simulator/workload/pki.ts';
import { bundled, type Running, run } from './bundle.ts';
import { node } from './node.ts';
import { allOff } from './policies.ts';
import { refusedPort } from './servers.ts';
import { simulated } from './simulator.ts';
import { tempFolder } from './temp-folder.ts';

const dayMs = 86_400_000;

const twin = z.object({
  reported: z.looseObject({
    policy: z.looseObject({ value: z.unknown(), ad: z.string() }).optional(),
    summary: z.unknown(),
    checks: z.record(z.string(), z.unknown()).optional(),
  }),
});

/** Something that takes whole programs a moment. */
export const soon = <T>(look: () => T | Promise<T>) => expect.poll(look, { timeout: 15_000, interval: 50 });

/** The bundled agent, on a free port of loopback. */
export interface RunningAgent extends Running {
  readonly url: string;
  /** Body of a GET, whatever its status. */
  get(path: string): Promise<{ readonly status: number; readonly body: string }>;
  /** Ends it as edgeAgent does; its exit code and how many milliseconds it took. */
  stop(): Promise<{ readonly code: number | null; readonly ms: number }>;
}

/** Starts the bundled agent with only these variables, and waits until it listens. */
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
  let over = false;
  void ended.then(() => {
    over = true;
  });
  // The whole group, so that a wrapper leaves nobody behind.
  const signal = (name: NodeJS.Signals) => over || process.kill(-(child.pid ?? 0), name);
  onTestFinished(async () => {
    signal('SIGKILL');
    await ended;
  });
  const port = () => / port=(\d+)/.exec(out())?.[1] ?? (over ? `ended: ${out()}${err()}` : undefined);
  await soon(port).toMatch(/^\d+$/);
  const url = `http://127.0.0.1:${port()}`;
  return {
    ...running,
    url,
    async get(path) {
      const response = await fetch(url + path);
      return { status: response.status, body: await response.text() };
    },
    async stop() {
      const before = performance.now();
      signal('SIGTERM');
      return { code: await ended, ms: performance.now() - before };
    },
  };
}

/** A certificate that expires in twelve days, as a file in the folder; gives its path. */
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
 * A device to be watched: a simulated IoT Edge, a time server, a certificate that expires in twelve days, a port
 * where nothing listens, and a policy in the twin that points at them. Nothing runs by itself but once a year.
 */
export async function createDevice() {
  const folder = await tempFolder();
  const state = join(folder, 'state');
  await mkdir(state);
  const simulator = await simulated();
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

  // What holds without a policy in the twin: the built-in one would leave loopback.
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
    /** Patches the twin's desired properties; gives their new version. */
    desire,
    /** The reported properties, as the cloud sees them. */
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

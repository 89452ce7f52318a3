import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createAdmin } from './admin.ts';
import { type EdgeHub, startEdgeHub } from './edge-hub/edge-hub.ts';
import { listen, portOf, stop } from './http.ts';
import type { JsonObject } from './json.ts';
import { createMetrics } from './metrics/metrics.ts';
import { createCertificates } from './workload/certificates.ts';
import type { Identity } from './workload/identity.ts';
import { createWorkloadApi } from './workload/workload.ts';

export interface SimulatorOptions {
  /** MQTT over TLS; 0 for any free port, as with the others. Default 18883. */
  readonly hubPort?: number;
  /** Admin HTTP, on 127.0.0.1. Default 9601. */
  readonly adminPort?: number;
  /** The metrics of edgeAgent and edgeHub, on 127.0.0.1. Default 9602. */
  readonly metricsPort?: number;
  /** Where the workload socket and the root certificate go. Default: a new temporary folder. */
  readonly directory?: string;
  /** edgeHub's name, for which its certificate is issued. */
  readonly host?: string;
  /** Where MQTT listens. Default: 127.0.0.1 for a loopback name, every address for any other. */
  readonly address?: string;
  /** The twin's desired properties to begin with. */
  readonly desired?: JsonObject;
  readonly iothub?: string;
  readonly deviceId?: string;
  readonly moduleId?: string;
  /** One line for each connect, refusal, failed handshake and the like. */
  log?(line: string): void;
}

/** A running local IoT Edge with one module to be. */
export interface Simulator {
  /** The `IOTEDGE_*` variables edgeAgent would give the module. */
  readonly environment: Readonly<Record<string, string>>;
  readonly adminUrl: string;
  readonly hubPort: number;
  readonly edgeAgentMetricsUrl: string;
  readonly edgeHubMetricsUrl: string;
  /** The trust bundle, PEM. */
  readonly rootCertificate: string;
  /** The same in a file, for curl, openssl and `EdgeModuleCACertificateFile`. */
  readonly rootCertificateFile: string;
  /** What the admin HTTP does, without HTTP. */
  readonly edgeHub: EdgeHub;
  /** Ends everything and removes what it put on disk. */
  close(): Promise<void>;
}

/** Starts the simulator; settles once everything listens. Rejects with the port or path that could not be had. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const identity: Identity = {
    iothub: options.iothub ?? 'simulator.azure-devices.net',
    deviceId: options.deviceId ?? 'simulated-edge',
    moduleId: options.moduleId ?? 'hardening',
    generationId: String(Date.now()),
    gateway: options.host ?? 'localhost',
  };
  const cleanups: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  };
  try {
    return { ...(await start(identity, options, cleanups)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Starts one part after the other, and adds to `cleanups` how each ends. */
async function start(
  identity: Identity,
  options: SimulatorOptions,
  cleanups: (() => Promise<unknown>)[],
): Promise<Omit<Simulator, 'close'>> {
  const key = randomBytes(32);
  const certificates = await createCertificates(identity.gateway);
  const { socket, rootCertificateFile, remove } = await prepareFolder(options.directory);
  cleanups.push(remove);
  await writeFile(rootCertificateFile, certificates.root);

  const workload = createWorkloadApi({ identity, key, certificates });
  await listen(workload, { path: socket });
  cleanups.push(() => stop(workload));
  // As edged has it: any user in the container may connect.
  await chmod(socket, 0o666);

  const edgeHub = await startEdgeHub({
    identity,
    key,
    certificates,
    host: options.address ?? (isLoopback(identity.gateway) ? '127.0.0.1' : undefined),
    port: options.hubPort ?? 18883,
    desired: options.desired ?? {},
    log: options.log ?? (() => undefined),
  });
  cleanups.push(edgeHub.close);

  const local = async (server: ReturnType<typeof createAdmin>, port: number): Promise<string> => {
    await listen(server, { host: '127.0.0.1', port });
    cleanups.push(() => stop(server));
    return `http://127.0.0.1:${portOf(server)}`;
  };
  const adminUrl = await local(createAdmin(edgeHub), options.adminPort ?? 9601);
  const metrics = createMetrics({ identity, instance: randomUUID(), counters: edgeHub.counters });
  const metricsUrl = await local(metrics, options.metricsPort ?? 9602);

  return {
    environment: environmentOf(identity, socket, edgeHub.port),
    adminUrl,
    hubPort: edgeHub.port,
    edgeAgentMetricsUrl: `${metricsUrl}/edgeAgent/metrics`,
    edgeHubMetricsUrl: `${metricsUrl}/edgeHub/metrics`,
    rootCertificate: certificates.root,
    rootCertificateFile,
    edgeHub,
  };
}

const environmentOf = (identity: Identity, socket: string, port: number): Record<string, string> => ({
  IOTEDGE_WORKLOADURI: `unix://${resolve(socket)}`,
  IOTEDGE_APIVERSION: '2022-08-03',
  IOTEDGE_AUTHSCHEME: 'sasToken',
  IOTEDGE_MODULEGENERATIONID: identity.generationId,
  IOTEDGE_IOTHUBHOSTNAME: identity.iothub,
  IOTEDGE_GATEWAYHOSTNAME: `${identity.gateway}:${port}`,
  IOTEDGE_DEVICEID: identity.deviceId,
  IOTEDGE_MODULEID: identity.moduleId,
});

async function prepareFolder(given: string | undefined) {
  const folder = given ?? (await mkdtemp(join(tmpdir(), 'iotedge-simulator-')));
  await mkdir(folder, { recursive: true });
  const socket = join(folder, 'workload.sock');
  const rootCertificateFile = join(folder, 'root-ca.pem');
  // A simulator that was killed leaves its socket behind, on which nobody can listen again.
  await rm(socket, { force: true });
  const remove = given
    ? () => Promise.all([socket, rootCertificateFile].map((path) => rm(path, { force: true })))
    : () => rm(folder, { recursive: true, force: true });
  return { socket, rootCertificateFile, remove };
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || (isIP(host) === 4 && host.startsWith('127.'));

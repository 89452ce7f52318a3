import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createAdmin } from './admin.ts';
import { type EdgeHub, startEdgeHub } from './edge-hub/edge-hub.ts';
import { listen, portOf, stop } from './http.ts';
import type { JsonObject } from './json.ts';
import { createEdgeMetrics } from './metrics/edge-metrics.ts';
import { createMetrics } from './metrics/metrics.ts';
import { createCertificates } from './workload/certificates.ts';
import type { Identity } from './workload/identity.ts';
import { createModuleList } from './workload/modules.ts';
import { createWorkloadApi } from './workload/workload.ts';

export interface SimulatorOptions {
  /** The port of MQTT over TLS. Default: 18883. 0 selects a free port, as for the other ports. */
  readonly hubPort?: number;
  /** The port of MQTT over WebSocket. Default: none. */
  readonly webSocketPort?: number;
  /** The port of the admin API on 127.0.0.1. Default: 9601. */
  readonly adminPort?: number;
  /** The port of the edgeAgent and edgeHub metrics on 127.0.0.1. Default: 9602. */
  readonly metricsPort?: number;
  /** The folder of the workload socket and the root certificate. Default: a new temporary folder. */
  readonly directory?: string;
  /** edgeHub's host name, to which its certificate is issued. Default: localhost. */
  readonly host?: string;
  /** The address MQTT listens on. Default: 127.0.0.1 for a loopback name, otherwise all addresses. */
  readonly address?: string;
  /** The initial desired properties. */
  readonly desired?: JsonObject;
  readonly iothub?: string;
  readonly deviceId?: string;
  readonly moduleId?: string;
  /** Receives one line per event, such as a connect, a rejection or a failed handshake. */
  log?(line: string): void;
}

/** A running local IoT Edge for one module. */
export interface Simulator {
  /** The `IOTEDGE_*` variables that edgeAgent sets for the module, and for the agent the addresses of the metrics. */
  readonly environment: Readonly<Record<string, string>>;
  readonly adminUrl: string;
  readonly hubPort: number;
  readonly edgeAgentMetricsUrl: string;
  readonly edgeHubMetricsUrl: string;
  /** The trust bundle, PEM. */
  readonly rootCertificate: string;
  /** The file with the trust bundle, for curl, openssl and `EdgeModuleCACertificateFile`. */
  readonly rootCertificateFile: string;
  /** Direct access to what the admin API offers. */
  readonly edgeHub: EdgeHub;
  /** Stops all servers and removes their files. */
  close(): Promise<void>;
}

/** Resolves once all servers listen. Rejects with the port or path that is not available. */
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

/** Starts the servers in order and adds a cleanup for each. */
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

  const edgeHub = await startEdgeHub({
    identity,
    key,
    certificates,
    host: options.address ?? (isLoopback(identity.gateway) ? '127.0.0.1' : undefined),
    port: options.hubPort ?? 18883,
    webSocketPort: options.webSocketPort,
    desired: options.desired ?? {},
    log: options.log ?? (() => undefined),
  });
  cleanups.push(edgeHub.close);

  const modules = createModuleList(identity, () => new Date());
  const edgeMetrics = createEdgeMetrics();
  const workload = createWorkloadApi({ identity, key, certificates, modules, faults: edgeHub.faults });
  await listen(workload, { path: socket });
  cleanups.push(() => stop(workload));
  // As in edged: any user of the container can connect.
  await chmod(socket, 0o666);

  const listenLocally = async (server: ReturnType<typeof createAdmin>, port: number): Promise<string> => {
    await listen(server, { host: '127.0.0.1', port });
    cleanups.push(() => stop(server));
    return `http://127.0.0.1:${portOf(server)}`;
  };
  const admin = createAdmin({ hub: edgeHub, modules, edgeMetrics });
  const adminUrl = await listenLocally(admin, options.adminPort ?? 9601);
  const metrics = createMetrics({ identity, modules, edgeMetrics, counters: edgeHub.counters });
  const metricsUrl = await listenLocally(metrics, options.metricsPort ?? 9602);

  const [edgeAgentMetricsUrl, edgeHubMetricsUrl] = [
    `${metricsUrl}/edgeAgent/metrics`,
    `${metricsUrl}/edgeHub/metrics`,
  ];

  return {
    environment: {
      ...environmentOf(identity, socket, edgeHub.port),
      HARDENING_EDGEAGENT_METRICS: edgeAgentMetricsUrl,
      HARDENING_EDGEHUB_METRICS: edgeHubMetricsUrl,
    },
    adminUrl,
    hubPort: edgeHub.port,
    edgeAgentMetricsUrl,
    edgeHubMetricsUrl,
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

async function prepareFolder(directory: string | undefined) {
  const folder = directory ?? (await mkdtemp(join(tmpdir(), 'iotedge-simulator-')));
  await mkdir(folder, { recursive: true });
  const socket = join(folder, 'workload.sock');
  const rootCertificateFile = join(folder, 'root-ca.pem');
  // A killed simulator leaves its socket behind, and an existing socket prevents listening.
  await rm(socket, { force: true });
  const remove = directory
    ? () => Promise.all([socket, rootCertificateFile].map((path) => rm(path, { force: true })))
    : () => rm(folder, { recursive: true, force: true });
  return { socket, rootCertificateFile, remove };
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || (isIP(host) === 4 && host.startsWith('127.'));

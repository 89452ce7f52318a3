import { type Endpoint, formatEndpoint, type HttpProxy } from '../endpoint.ts';
import type { Host, Memory, Names } from '../host.ts';
import type { AgentHost } from './agent/types.ts';
import { createCertificates } from './certificates/certificates.ts';
import { createPresentedChain } from './certificates/presented-chain.ts';
import { createChrony } from './clock/chrony.ts';
import { createClockWatch } from './clock/clock-watch.ts';
import { createHttpDate } from './clock/http-date.ts';
import { createHypervClock } from './clock/hyperv.ts';
import { createSntp } from './clock/sntp.ts';
import { createEngineUsage } from './disk/engine-usage.ts';
import { createFilesystem } from './disk/filesystem.ts';
import { createModuleList } from './edge/module-list.ts';
import { createRuntimeMetrics, type MetricsPages } from './edge/runtime-metrics.ts';
import { createWorkload, noModules } from './edge/workload.ts';
import { createEngine } from './engine/engine.ts';
import { createFiles } from './files/files.ts';
import { createGrants } from './files/grants.ts';
import { createIdentity } from './identity/identity.ts';
import { createConnect } from './network/connect.ts';
import { dial } from './network/dial.ts';
import { createListeners } from './network/listeners.ts';
import { createLookUp } from './network/lookup.ts';
import { createProbe } from './network/probe.ts';
import { createProxyFor } from './network/proxy.ts';
import { createResolver } from './network/resolve.ts';
import { createSshd } from './ssh/sshd.ts';
import { createSystem } from './system/system.ts';
import { createTrust } from './tls/trust.ts';
import { createTpm } from './tpm/tpm.ts';

export interface HostOptions extends AgentHost {
  readonly names: Names;
  readonly hostRoot: string;
  readonly stateDir: string;
  /** The container engine's. */
  readonly dockerSocket: string;
  readonly workloadUri: string | undefined;
  readonly metricsPages: MetricsPages;
  /** PEM files with authorities to trust in addition to Node's own. */
  readonly caFiles: readonly string[];
  readonly proxy: HttpProxy | undefined;
  readonly noProxy: string;
  readonly memory: Memory;
  readonly mode: 'edge' | 'standalone';
  /** Where HTTP of the agent listens. */
  readonly port: number;
}

/** This machine, as checks see it. Opens nothing yet. */
export function createHost(options: HostOptions): Host {
  const { names, hostRoot, stateDir, dockerSocket, workloadUri, caFiles, memory } = options;
  const { memoryProblem, hubLink, watchHub, policyOutcome, alerts } = options;
  const now = () => new Date();
  const { resolve, resolveFully } = createResolver();
  const proxyFor = createProxyFor(options.proxy, options.noProxy);
  const connect = createConnect({ resolve, proxyFor });
  const ownProxy = {
    https: options.proxy && formatEndpoint(options.proxy),
    bypasses: (endpoint: Endpoint) => proxyFor(endpoint) === undefined,
  };
  const workload = workloadUri ? createWorkload(workloadUri) : undefined;
  const trust = createTrust({ caFiles, ...(workload ? { workload } : {}) });
  const files = createFiles({ hostRoot });
  const { watchClock, clockEvents, clockTotals } = createClockWatch();
  return {
    now,
    names,
    memory,
    memoryProblem,
    hubLink,
    watchHub,
    policyOutcome,
    alerts,
    grants: createGrants({ files, sockets: { engine: dockerSocket, workload: workload?.socketPath } }),
    sntp: createSntp({ resolve, now }),
    chrony: createChrony({ resolve, now }),
    httpDate: createHttpDate({ connect, trust, now }),
    watchClock,
    clockEvents,
    clockTotals,
    hypervClock: createHypervClock({ files }),
    findFiles: files.find,
    findPaths: files.findPaths,
    inspectFile: files.inspect,
    certificates: createCertificates({ read: files.read }),
    presentedChain: createPresentedChain({ connect, trust }),
    filesystem: createFilesystem({ hostRoot, stateDir }),
    engineUsage: createEngineUsage({ socketPath: dockerSocket }),
    probe: createProbe({ connect, trust }),
    lookUp: createLookUp({ resolveFully }),
    listeners: createListeners({ files, ownPort: options.port, standalone: options.mode === 'standalone' }),
    ownProxy: () => ownProxy,
    ...createEngine({ socketPath: dockerSocket, files }),
    system: createSystem({ files }),
    sshd: createSshd({ files }),
    ...createIdentity({ files, hostRoot }),
    tpm: createTpm(),
    runtimeMetrics: createRuntimeMetrics({ pages: options.metricsPages, resolve, dial, now }),
    modules: workload ? createModuleList({ list: workload.modules, now }) : noModules,
  };
}

import type { ClockEvent, Host, MemoryProblem, Names } from '../host.ts';
import { createCertificates } from './certificates.ts';
import { createPresentedChain } from './chain.ts';
import { createChrony } from './chrony.ts';
import { createConnect } from './connect.ts';
import { createEngineUsage } from './docker.ts';
import { createFiles } from './files.ts';
import { createFilesystem } from './filesystem.ts';
import type { History } from './history.ts';
import { createHttpDate } from './http-date.ts';
import { createHypervUnused } from './hyperv-clock.ts';
import { createLookUp } from './look-up.ts';
import { createProbe } from './probe.ts';
import { createProxyFor } from './proxy.ts';
import { createResolve } from './resolve.ts';
import { createSntp } from './sntp.ts';
import { createTrust } from './trust.ts';
import { createWorkload, noModules } from './workload.ts';

export interface HostOptions {
  readonly names: Names;
  readonly hostRoot: string;
  readonly stateDir: string;
  /** The container engine's. */
  readonly dockerSocket: string;
  readonly workloadUri: string | undefined;
  /** PEM files with authorities to trust beside Node's own. */
  readonly caFiles: readonly string[];
  readonly httpsProxy: string | undefined;
  readonly noProxy: string;
  memoryProblem(): MemoryProblem | undefined;
  clockEvents(): readonly ClockEvent[];
  /** What this process and earlier ones have seen. */
  readonly history: History;
}

/** This machine, as checks may look at it. Opens nothing yet. Throws for a proxy that cannot be used. */
export function createHost(options: HostOptions): Host {
  const { names, hostRoot, stateDir, dockerSocket, workloadUri, caFiles, httpsProxy, noProxy } = options;
  const now = () => new Date();
  const resolve = createResolve();
  const proxyFor = createProxyFor({ ...(httpsProxy === undefined ? {} : { httpsProxy }), noProxy });
  const connect = createConnect({ resolve, proxyFor });
  const workload = workloadUri ? createWorkload(workloadUri) : undefined;
  const trust = createTrust({ caFiles, ...(workload ? { workload } : {}) });
  const files = createFiles({ hostRoot });
  return {
    now,
    names,
    memoryProblem: options.memoryProblem,
    gives: files.gives,
    sntp: createSntp({ resolve, now }),
    chrony: createChrony({ resolve, now }),
    httpDate: createHttpDate({ connect, trust, now }),
    clockEvents: options.clockEvents,
    hypervUnused: createHypervUnused({ files }),
    findFiles: files.find,
    certificates: createCertificates({ read: files.read }),
    presentedChain: createPresentedChain({ connect, trust }),
    filesystem: createFilesystem({ hostRoot, stateDir }),
    remember: options.history.remember,
    engineUsage: createEngineUsage({ socketPath: dockerSocket }),
    probe: createProbe({ connect, trust }),
    lookUp: createLookUp({ resolve }),
    modules: workload?.modules ?? noModules,
  };
}

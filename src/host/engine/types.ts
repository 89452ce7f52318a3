import type { Answer } from '../../answer.ts';
import type { ProxyVariables } from '../edge/types.ts';

/** What a check may ask the container engine, over its socket; `no_access` without it. */
export interface EngineHost {
  /** Every container, running or not, as the engine had them at most some seconds ago. */
  containers(signal: AbortSignal): Answer<readonly Container[]>;
  /** The engine itself, and its configuration file. */
  engine(signal: AbortSignal): Answer<Engine>;
}

/** A container, by its inspection. Its environment, labels and command line are not kept. */
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly isRunning: boolean;
  readonly mounts: readonly Mount[];
  readonly privileged: boolean;
  readonly networkMode: string;
  readonly pidMode: string;
  readonly ipcMode: string;
  /** In capitals, without `CAP_`. */
  readonly addedCapabilities: readonly string[];
  /** Paths of devices of the VM. */
  readonly devices: readonly string[];
  /** Empty where the image and createOptions name none, which is root. */
  readonly user: string;
  readonly isRootReadOnly: boolean;
  /** As submitted: `no-new-privileges`, `seccomp=unconfined`. */
  readonly securityOptions: readonly string[];
  /** Empty for a container that has never been started. */
  readonly apparmorProfile: string;
  /** 0: none. */
  readonly memoryLimitBytes: number;
  /** 0: none. */
  readonly pidsLimit: number;
  /** Ports of the VM that are published. */
  readonly publishedPorts: readonly PublishedPort[];
  readonly log: LogConfiguration;
  /** The variable `storageFolder`, by which edgeAgent and edgeHub choose where to keep their state. */
  readonly storageFolder?: string | undefined;
  readonly proxy: ProxyVariables;
}

/** A mount of a container. */
export interface Mount {
  readonly type: 'bind' | 'volume' | 'tmpfs' | 'other';
  /** A path of the VM; for a volume, where the engine keeps it. */
  readonly source: string;
  /** A path in the container. */
  readonly target: string;
  readonly isWritable: boolean;
}

/** A port of the VM that leads into a container. */
export interface PublishedPort {
  readonly protocol: string;
  readonly port: number;
}

/** Where a container's output goes. */
export interface LogConfiguration {
  readonly driver: string;
  /** Of json-file, as submitted: `10m`. */
  readonly maxSize?: string | undefined;
}

/** The container engine. */
export interface Engine {
  readonly version: string;
  /** The oldest version of its API that it still answers, such as `1.24`. */
  readonly minApiVersion: string;
  /** `GET /info`: `name=seccomp,profile=builtin`, `name=apparmor`. */
  readonly securityOptions: readonly string[];
  /** The driver of containers that name none. */
  readonly logDriver: string;
  /** Registries that it reaches without TLS or without verifying it, other than this machine. */
  readonly insecureRegistries: readonly string[];
  readonly liveRestore: boolean;
  readonly experimental: boolean;
  /** Its own warning that the API is reachable over TCP without TLS. */
  readonly openApiWarning?: string | undefined;
  /** The VM's /etc/docker/daemon.json; empty where that does not exist, undefined where it was not given. */
  readonly file: DaemonFile | undefined;
}

/** What daemon.json sets. */
export interface DaemonFile {
  readonly logDriver?: string | undefined;
  readonly maxSize?: string | undefined;
  /** Addresses that begin with `tcp://`. */
  readonly tcpHosts: readonly string[];
  readonly tlsVerify: boolean;
}

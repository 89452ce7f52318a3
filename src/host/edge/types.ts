import type { Answer } from '../../answer.ts';
import type { Endpoint } from '../../endpoint.ts';

/** What a check may ask about the IoT Edge runtime. */
export interface EdgeHost {
  /**
   * The modules on this device, as the runtime listed them at most a minute ago. `not_applicable` where the agent is not a
   * module itself.
   */
  modules(signal: AbortSignal): Answer<EdgeModules>;
  /** What a component of the runtime counts, as its metrics page had it at most some seconds ago. */
  runtimeMetrics(component: RuntimeComponent, signal: AbortSignal): Answer<RuntimeMetrics>;
  /** The proxy that the agent itself was told to use. */
  ownProxy(): OwnProxy;
}

/** One listing of the modules. A module whose container the runtime cannot inspect is missing in it. */
export interface EdgeModules {
  /** When it was made; the same for checks that share it. */
  readonly listedAt: Date;
  /** Of the machine at that moment. No step of the clock moves it; it is smaller than before after a reboot. */
  readonly uptimeSeconds: number;
  readonly modules: readonly EdgeModule[];
}

/** A module as the IoT Edge runtime lists it. */
export interface EdgeModule {
  readonly name: string;
  /** The reference it was deployed with, `registry/repository:tag`. */
  readonly image: string;
  /** The engine's local id of the image. */
  readonly imageHash?: string | undefined;
  /** Another one means that its container was created with other labels. */
  readonly labelsHash: string;
  readonly state: 'running' | 'stopped' | 'failed' | 'dead' | 'unknown';
  readonly startedAt?: Date | undefined;
  /** Of the last run. The engine sets the code to 0 at each start, so it means nothing while the module runs. */
  readonly exit?: { readonly at: Date; readonly code: number } | undefined;
  /** Where edgeAgent keeps its state, by its labels; undefined for other modules. */
  readonly storage?: { readonly folder: string; readonly isMounted: boolean } | undefined;
  /** edgeAgent's, by its labels; undefined for other modules. */
  readonly proxy?: ProxyVariables | undefined;
}

/** The agent's own proxy. */
export interface OwnProxy {
  /** `host:port` of `https_proxy`; undefined where it has none. */
  readonly https: string | undefined;
  /** Whether `no_proxy` keeps connections to an endpoint away from the proxy. */
  bypasses(endpoint: Endpoint): boolean;
}

/** Proxy variables of a process, without credentials. */
export interface ProxyVariables {
  /** `host:port` of `https_proxy`; undefined where it has none. */
  readonly https?: string | undefined;
  /** The entries of `no_proxy`. */
  readonly noProxy: readonly string[];
}

/** The two modules of the runtime that have metrics. */
export type RuntimeComponent = 'edgeAgent' | 'edgeHub';

/** A component's metrics page. */
export interface RuntimeMetrics {
  readonly readAt: Date;
  /** Another one at each start of the component; undefined where no sample has one. */
  readonly instance: string | undefined;
  readonly samples: readonly MetricSample[];
}

/** One line of a metrics page. */
export interface MetricSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** May be NaN. */
  readonly value: number;
}

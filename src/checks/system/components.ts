import { CannotTell, type HostFor } from '../../check.ts';
import type { System } from '../../host/system/types.ts';
import { engineLineOf, lineOf, systemLineOf } from './versions.ts';

/** A part of the device that has a support life of its own. */
export type Target = 'iotedge' | 'eflow' | 'edgeAgent' | 'edgeHub' | 'engine' | 'os';

/** What is installed. */
export interface Component {
  readonly target: Target;
  /** Its product in the table of support: `iotedge` also for edgeAgent and edgeHub. */
  readonly product: string;
  /** What people call it with its version: `IoT Edge 1.5.21`. */
  readonly name: string;
  /** `1.5`; undefined where the version says none. */
  readonly line: string | undefined;
  /** For the engine: its whole version, and the line of the daemon that talks to it, as far as these are known. */
  readonly engine?: { readonly version: string; readonly daemonLine: string | undefined };
}

/** A component, or why it is not known. */
export type Found = { readonly target: Target; readonly component: Component | CannotTell };

type Sources = HostFor<'modules' | 'runtimeMetrics' | 'system' | 'engine'>;

/** Everything that has a support life here. A source that gives no answer costs only what it alone tells. */
export async function findComponents(host: Sources, signal: AbortSignal): Promise<readonly Found[]> {
  const [metadata, modules, system, engine] = await Promise.all([
    orReason(readMetadata(host, signal), signal),
    orReason(host.modules(signal), signal),
    orReason(host.system(signal), signal),
    orReason(host.engine(signal), signal),
  ]);
  const imageOf = (name: string) =>
    modules instanceof CannotTell ? modules : modules.modules.find((module) => module.name === name)?.image;
  const daemon = metadata instanceof CannotTell ? metadata : metadata.daemon;
  const engineVersion =
    metadata instanceof CannotTell || metadata.engine === undefined
      ? engine instanceof CannotTell
        ? metadata instanceof CannotTell
          ? metadata
          : engine
        : engine.version
      : metadata.engine;
  const agentVersion = metadata instanceof CannotTell ? undefined : metadata.agent;
  const daemonLine = typeof daemon === 'string' ? lineOf(daemon) : undefined;
  return [
    { target: 'iotedge', component: named('iotedge', 'IoT Edge', daemon) },
    ...eflowOf(host, system, daemonLine, daemon),
    { target: 'edgeAgent', component: runtimeModule('edgeAgent', imageOf('edgeAgent'), agentVersion) },
    { target: 'edgeHub', component: runtimeModule('edgeHub', imageOf('edgeHub'), undefined) },
    { target: 'engine', component: engineOf(engineVersion, daemonLine) },
    { target: 'os', component: systemOf(system) },
  ];
}

async function orReason<T>(work: Promise<T>, signal: AbortSignal): Promise<T | CannotTell> {
  try {
    return await work;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CannotTell) return error;
    throw error;
  }
}

/** What edgeAgent knows of its host since its start. */
interface Metadata {
  readonly agent: string | undefined;
  readonly daemon: string | CannotTell;
  readonly engine: string | undefined;
}

const longest = 64;

async function readMetadata(host: HostFor<'runtimeMetrics'>, signal: AbortSignal): Promise<Metadata> {
  const { samples } = await host.runtimeMetrics('edgeAgent', signal);
  const labels = samples.find(({ name }) => name === 'edgeAgent_metadata')?.labels ?? {};
  const { Version: daemon, ServerVersion: engine } = parseObject(labels.host_information ?? '');
  const version = (value: unknown) =>
    typeof value === 'string' && value !== '' && value.length <= longest ? value : undefined;
  return {
    agent: version(labels.edge_agent_version),
    daemon:
      version(daemon) ??
      new CannotTell('unreadable', "edgeAgent's metrics do not say which IoT Edge is installed"),
    engine: version(engine),
  };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

const named = (
  product: 'iotedge' | 'eflow',
  called: string,
  version: string | CannotTell,
): Component | CannotTell =>
  version instanceof CannotTell
    ? version
    : { target: product, product, name: `${called} ${version}`, line: lineOf(version) };

/** EFLOW is released with IoT Edge, so its line is the daemon's. */
function eflowOf(
  { names }: Sources,
  system: System | CannotTell,
  daemonLine: string | undefined,
  daemon: string | CannotTell,
): readonly Found[] {
  if (system instanceof CannotTell) return [];
  const isNamed = /-eflow$/i.test(names.gateway?.split('.')[0] ?? '');
  const hasItsSystem = system.id === 'mariner' || system.id === 'azurelinux';
  if (!system.hasEflowFiles && !(isNamed && hasItsSystem)) return [];
  const component =
    daemonLine === undefined
      ? daemon instanceof CannotTell
        ? daemon
        : named('eflow', 'EFLOW', daemon)
      : named('eflow', 'EFLOW', daemonLine);
  return [{ target: 'eflow', component }];
}

/** By the tag of its image; where that names no version, by the one it gives itself. */
function runtimeModule(
  target: 'edgeAgent' | 'edgeHub',
  image: string | CannotTell | undefined,
  itself: string | undefined,
): Component | CannotTell {
  if (image instanceof CannotTell) return image;
  if (image === undefined)
    return new CannotTell('not_found', `${target} is not among the modules of this device`);
  const tag = image.includes('@') ? undefined : /:([^/:]{1,128})$/.exec(image)?.[1];
  const version = tag !== undefined && lineOf(tag) !== undefined ? tag : itself;
  if (version === undefined) {
    return new CannotTell(
      'not_applicable',
      `The image of ${target} does not name its version (${image.length > 120 ? `${image.slice(0, 119)}…` : image})`,
    );
  }
  return { target, product: 'iotedge', name: `${target} ${version}`, line: lineOf(version) };
}

const engineOf = (version: string | CannotTell, daemonLine: string | undefined): Component | CannotTell =>
  version instanceof CannotTell
    ? version
    : {
        target: 'engine',
        product: 'engine',
        name: `The container engine ${version}`,
        line: engineLineOf(version),
        engine: { version, daemonLine },
      };

const systemNames: Readonly<Record<string, string>> = {
  mariner: 'CBL-Mariner',
  azurelinux: 'Azure Linux',
  ubuntu: 'Ubuntu',
  debian: 'Debian',
  rhel: 'Red Hat Enterprise Linux',
};

function systemOf(system: System | CannotTell): Component | CannotTell {
  if (system instanceof CannotTell) return system;
  const { id, version } = system;
  if (id === undefined || version === undefined) {
    const what =
      id === undefined
        ? 'The kernel does not say which system this is'
        : `The kernel says that this is ${systemNames[id] ?? id}, but not which release`;
    const mount =
      '{ "Type": "bind", "Source": "/usr/lib/os-release", "Target": "/host/usr/lib/os-release", "ReadOnly": true }';
    return new CannotTell('no_access', what, {
      remedy: `Mount its os-release: "HostConfig": { "Mounts": [ ${mount} ] }`,
    });
  }
  const product = id === 'raspbian' ? 'debian' : id;
  return {
    target: 'os',
    product,
    name: `${systemNames[id] ?? id} ${version}`,
    line: systemLineOf(product, version),
  };
}

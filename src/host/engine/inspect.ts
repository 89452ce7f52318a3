import * as z from 'zod';
import { formatEndpoint, parseProxy } from '../../endpoint.ts';
import type { ProxyVariables } from '../edge/types.ts';
import type { Container, Mount, PublishedPort } from './types.ts';

// Fields are null, absent or empty, depending on the version of the API and on who created the container.
const text = z
  .string()
  .max(4096)
  .nullish()
  .transform((value) => value ?? '');
const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);
const amount = z
  .number()
  .nullish()
  .transform((value) => Math.max(0, value ?? 0));
const texts = z
  .array(z.string().max(4096))
  .max(1024)
  .nullish()
  .transform((value) => value ?? []);

const ports = z
  .record(z.string(), z.array(z.object({ HostPort: text })).nullish())
  .nullish()
  .transform((value) => value ?? {});

/** The answer to `GET /containers/ID/json` of API 1.24 to 1.52. Everything that is not named here is dropped. */
const inspection = z.object({
  Name: z.string().max(4096),
  State: z.object({ Running: flag }).nullish(),
  AppArmorProfile: text,
  Config: z.object({ Image: text, User: text, Env: texts }),
  Mounts: z
    .array(z.object({ Type: text, Name: text, Source: text, Destination: text, RW: flag }))
    .max(1024)
    .nullish(),
  HostConfig: z.object({
    Privileged: flag,
    NetworkMode: text,
    PidMode: text,
    IpcMode: text,
    CapAdd: texts,
    Devices: z
      .array(z.object({ PathOnHost: text }))
      .max(1024)
      .nullish(),
    ReadonlyRootfs: flag,
    SecurityOpt: texts,
    Memory: amount,
    PidsLimit: amount,
    PortBindings: ports,
    LogConfig: z
      .object({ Type: text, Config: z.object({ 'max-size': z.string().optional() }).nullish() })
      .nullish(),
  }),
  NetworkSettings: z.object({ Ports: ports }).nullish(),
});

/** Reads the inspection of a container. Throws a ZodError for anything else. */
export function parseInspection(answer: unknown): Container {
  const { Name, State, AppArmorProfile, Config, Mounts, HostConfig, NetworkSettings } =
    inspection.parse(answer);
  const variable = variablesOf(Config.Env);
  const storageFolder = variable('storageFolder');
  return {
    name: Name.replace(/^\//, ''),
    image: Config.Image,
    isRunning: State?.Running ?? false,
    mounts: (Mounts ?? []).map(mountOf),
    privileged: HostConfig.Privileged,
    networkMode: HostConfig.NetworkMode,
    pidMode: HostConfig.PidMode,
    ipcMode: HostConfig.IpcMode,
    addedCapabilities: HostConfig.CapAdd.map((name) => name.toUpperCase().replace(/^CAP_/, '')),
    devices: (HostConfig.Devices ?? []).map(({ PathOnHost }) => PathOnHost),
    user: Config.User,
    isRootReadOnly: HostConfig.ReadonlyRootfs,
    securityOptions: HostConfig.SecurityOpt,
    apparmorProfile: AppArmorProfile,
    memoryLimitBytes: HostConfig.Memory,
    pidsLimit: HostConfig.PidsLimit,
    publishedPorts: portsOf(HostConfig.PortBindings, NetworkSettings?.Ports ?? {}),
    log: { driver: HostConfig.LogConfig?.Type ?? '', maxSize: HostConfig.LogConfig?.Config?.['max-size'] },
    ...(storageFolder === undefined ? {} : { storageFolder }),
    proxy: proxyOf(variable),
  };
}

/** Before API 1.25, a mount has no type; a volume has a name. */
function mountOf({ Type, Name, Source, Destination, RW }: z.infer<typeof mountShape>): Mount {
  const kind = Type || (Name === '' ? 'bind' : 'volume');
  const type = (['bind', 'volume', 'tmpfs'] as const).find((each) => each === kind) ?? 'other';
  return { type, source: Source, target: Destination, isWritable: RW };
}

const mountShape = z.object({ Type: text, Name: text, Source: text, Destination: text, RW: flag });

type Ports = z.output<typeof ports>;

function portsOf(...lists: readonly Ports[]): readonly PublishedPort[] {
  const found = new Map<string, PublishedPort>();
  for (const list of lists) {
    for (const [inside, bindings] of Object.entries(list)) {
      const protocol = inside.split('/')[1] ?? 'tcp';
      for (const { HostPort } of bindings ?? []) {
        const port = Number(HostPort);
        if (Number.isInteger(port) && port > 0) found.set(`${protocol}/${port}`, { protocol, port });
      }
    }
  }
  return [...found.values()];
}

const variablesOf = (environment: readonly string[]) => (name: string) => {
  const line = environment.findLast((each) => each.startsWith(`${name}=`));
  return line?.slice(name.length + 1) || undefined;
};

/** Without credentials; an address that cannot be read counts as none. */
function proxyOf(variable: (name: string) => string | undefined): ProxyVariables {
  const written = variable('https_proxy') ?? variable('HTTPS_PROXY');
  const proxy = written === undefined ? undefined : parseProxy(written);
  const noProxy = variable('no_proxy') ?? variable('NO_PROXY') ?? '';
  return {
    ...(proxy && { https: formatEndpoint(proxy) }),
    noProxy: noProxy.split(/[\s,]+/).filter((entry) => entry !== ''),
  };
}

import { readFile } from 'node:fs/promises';
import type Docker from 'dockerode';
import { z } from 'zod';
import type { Simulator } from '../../simulator/index.ts';

const mount = z.object({
  Type: z.enum(['bind', 'volume']),
  Source: z.string(),
  Target: z.string(),
  ReadOnly: z.boolean().optional(),
});
const createOptions = z.looseObject({ HostConfig: z.looseObject({ Mounts: z.array(mount) }) });
const settings = z.object({ settings: z.object({ createOptions }) });
const template = z.object({
  modulesContent: z.object({
    $edgeAgent: z.object({
      'properties.desired': z.object({ modules: z.object({ hardening: settings }) }),
    }),
  }),
});

/** The module's createOptions from deployment.template.json. */
export async function templateOptions(): Promise<z.infer<typeof createOptions>> {
  const text = await readFile(new URL('../../deployment.template.json', import.meta.url), 'utf8');
  const manifest = template.parse(JSON.parse(text)).modulesContent;
  return manifest.$edgeAgent['properties.desired'].modules.hardening.settings.createOptions;
}

export interface ModuleOptions {
  readonly image: string;
  /** A folder used as the root of the device's filesystem. */
  readonly deviceRoot: string;
  readonly simulator: Simulator;
  /** The address of the simulator's edgeHub as seen from the container. */
  readonly gateway: string;
  readonly gatewayName: string;
}

/** The template's createOptions plus what edgeAgent adds: image, environment and workload socket. */
export async function moduleContainer(options: ModuleOptions): Promise<Docker.ContainerCreateOptions> {
  const { image, deviceRoot, simulator, gateway, gatewayName } = options;
  const { HostConfig, ...rest } = await templateOptions();
  const socket = (simulator.environment.IOTEDGE_WORKLOADURI ?? '').replace('unix://', '');
  return {
    ...rest,
    Image: image,
    Env: Object.entries(simulator.environment).map(([name, value]) => `${name}=${value}`),
    HostConfig: {
      ...HostConfig,
      Mounts: HostConfig.Mounts.map(({ Type, Source, Target, ReadOnly = false }) => ({
        Type,
        Source: Type === 'bind' ? `${deviceRoot}${Source}` : Source,
        Target,
        ReadOnly,
      })),
      Binds: [`${socket}:${socket}`],
      ExtraHosts: [`${gatewayName}:${gateway}`],
    },
  };
}

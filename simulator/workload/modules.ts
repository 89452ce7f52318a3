import { createHash } from 'node:crypto';
import { isObject, type Json, type JsonObject, unexpected } from '../json.ts';
import type { Identity } from './identity.ts';

/** What `GET /modules` lists, in edged's format (edgelet-http-workload, module/list.rs). */
export interface ModuleList {
  list(): readonly ListedModule[];
  /**
   * Replaces the list. Of each module, what is left out is added as for a running one; other fields are listed as they are.
   * Throws an `HttpError` 400 that names the wrong field.
   */
  set(body: unknown): void;
}

export interface ListedModule extends JsonObject {
  readonly name: string;
  readonly status: JsonObject & { readonly runtimeStatus: JsonObject & { readonly status: string } };
}

/** A list of four modules, one of which has failed. */
export function createModuleList({ moduleId }: Identity, now: () => Date): ModuleList {
  let modules = sampleModules(moduleId, now());
  return {
    list: () => modules,
    set(body) {
      modules = parseModules(body, now());
    },
  };
}

function sampleModules(moduleId: string, startedAt: Date): readonly ListedModule[] {
  const ago = (minutes: number) => new Date(startedAt.getTime() - minutes * 60_000).toISOString();
  const failed = {
    startTime: ago(60),
    exitStatus: { exitTime: ago(10), statusCode: '139' },
    runtimeStatus: { status: 'failed' },
  };
  const running = runningSince(startedAt);
  return [
    moduleOf('edgeAgent', 'mcr.microsoft.com/azureiotedge-agent:1.6.0', running, agentLabels),
    moduleOf('edgeHub', 'mcr.microsoft.com/azureiotedge-hub:1.6.0', running),
    moduleOf(moduleId, `registry.example.com/${moduleId.toLowerCase()}:1.0.0`, running),
    moduleOf('plcGateway', 'registry.example.com/plc-gateway:latest', failed),
  ];
}

// Only edgeAgent's own container has these two labels.
const agentLabels = {
  'net.azure-devices.edge.create-options': JSON.stringify({
    HostConfig: { Binds: ['/var/lib/iotedge/edgeAgent:/tmp/edgeAgent'] },
  }),
  'net.azure-devices.edge.env': JSON.stringify({ storageFolder: { value: '/tmp/edgeAgent' } }),
};

const runningSince = (startedAt: Date) => ({
  startTime: startedAt.toISOString(),
  runtimeStatus: { status: 'running' },
});

const moduleOf = (
  name: string,
  image: string,
  status: ListedModule['status'],
  labels: Record<string, string> = {},
) => ({
  id: 'id',
  name,
  type: 'docker',
  config: { settings: settingsOf(image, labels), env: [] },
  status,
});

const settingsOf = (image: string, labels: Record<string, string> = {}) => ({
  image,
  imageHash: `sha256:${createHash('sha256').update(image).digest('hex')}`,
  createOptions: {
    Labels: {
      'net.azure-devices.edge.owner': 'Microsoft.Azure.Devices.Edge.Agent',
      'net.azure-devices.edge.original-image': image,
      ...labels,
    },
  },
});

function parseModules(body: unknown, now: Date): readonly ListedModule[] {
  const list = isObject(body) ? body.modules : body;
  if (!Array.isArray(list)) throw unexpected('modules', 'a list', list);
  const modules = list.map((value, i) => parseModule(value, `modules[${i}]`, now));
  for (const [i, { name }] of modules.entries()) {
    if (modules.findIndex((each) => each.name === name) !== i)
      throw unexpected(`modules[${i}].name`, 'unique', name);
  }
  return modules;
}

function parseModule(value: unknown, path: string, now: Date): ListedModule {
  const module = object(value, path);
  const config = object(module.config, `${path}.config`);
  const settings = object(config.settings, `${path}.config.settings`);
  const name = text(module.name, `${path}.name`, /^[A-Za-z0-9_-]+$/, 'a text of letters, digits, _ and -');
  const image = text(settings.image, `${path}.config.settings.image`, /./, 'a text');
  const { createOptions } = settings;
  if (createOptions !== undefined) {
    const labels = object(createOptions, `${path}.config.settings.createOptions`).Labels ?? {};
    object(labels, `${path}.config.settings.createOptions.Labels`);
  }
  const defaults = moduleOf(name, image, runningSince(now));
  return {
    ...defaults,
    ...module,
    name,
    config: { ...defaults.config, ...config, settings: { ...defaults.config.settings, ...settings } },
    status: module.status === undefined ? defaults.status : parseStatus(module.status, `${path}.status`),
  };
}

const runtimeStatuses = ['unknown', 'running', 'stopped', 'failed', 'dead'];
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const aTime = 'a time such as "2026-01-01T00:00:00Z"';

function parseStatus(value: unknown, path: string): ListedModule['status'] {
  const status = object(value, path);
  const runtimeStatus = object(status.runtimeStatus, `${path}.runtimeStatus`);
  const of = runtimeStatus.status;
  if (typeof of !== 'string' || !runtimeStatuses.includes(of)) {
    throw unexpected(`${path}.runtimeStatus.status`, `one of ${runtimeStatuses.join(', ')}`, of);
  }
  if (status.startTime !== undefined) text(status.startTime, `${path}.startTime`, time, aTime);
  if (status.exitStatus !== undefined) {
    const { exitTime, statusCode } = object(status.exitStatus, `${path}.exitStatus`);
    text(exitTime, `${path}.exitStatus.exitTime`, time, aTime);
    text(statusCode, `${path}.exitStatus.statusCode`, /^-?\d+$/, 'a text of digits such as "139"');
  }
  return { ...status, runtimeStatus: { ...runtimeStatus, status: of } };
}

function object(value: unknown, path: string): JsonObject {
  if (isObject(value)) return value;
  throw unexpected(path, 'an object', value);
}

function text(value: Json | undefined, path: string, pattern: RegExp, allowed: string): string {
  if (typeof value === 'string' && pattern.test(value)) return value;
  throw unexpected(path, allowed, value);
}
